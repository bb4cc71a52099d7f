#include "git/text/wildmatch.h"

#include <string>

#include "support/catch.h"

using wafers::git::LetterCase;
using wafers::git::Slash;
using wafers::git::Wildmatch;

namespace {

bool match(const std::string& pattern, const std::string& text, Slash slash = Slash::separator,
           LetterCase letters = LetterCase::sensitive) {
  return Wildmatch(pattern, slash, letters).matches(text);
}

bool fold(const std::string& pattern, const std::string& text) {
  return match(pattern, text, Slash::separator, LetterCase::ignored);
}

}  // namespace

TEST_CASE("literals, question marks and stars", "[wildmatch]") {
  CHECK(match("foo", "foo"));
  CHECK_FALSE(match("foo", "bar"));
  CHECK(match("", ""));
  CHECK_FALSE(match("", "a"));
  CHECK(match("???", "foo"));
  CHECK_FALSE(match("??", "foo"));
  CHECK(match("*", "foo"));
  CHECK(match("*", ""));
  CHECK(match("f*", "foo"));
  CHECK_FALSE(match("*f", "foo"));
  CHECK(match("*foo*", "foo"));
  CHECK(match("*ob*a*r*", "foobar"));
  CHECK(match("*ab", "aaaaaaabababab"));
  CHECK(match("foo\\*", "foo*"));
  CHECK_FALSE(match("foo\\*bar", "foobar"));
  CHECK(match("f\\\\oo", "f\\oo"));
  CHECK_FALSE(match("foo\\", "foo\\"));
  CHECK_FALSE(match("foo\\", "foo"));
}

TEST_CASE("a slash is matched by two stars that stand alone", "[wildmatch]") {
  CHECK_FALSE(match("foo*bar", "foo/baz/bar"));
  CHECK_FALSE(match("foo?bar", "foo/bar"));
  CHECK_FALSE(match("foo[/]bar", "foo/bar"));
  CHECK_FALSE(match("foo[^a]bar", "foo/bar"));
  CHECK_FALSE(match("foo**bar", "foo/baz/bar"));
  CHECK(match("foo**bar", "foobazbar"));
  CHECK(match("foo/**/bar", "foo/baz/bar"));
  CHECK(match("foo/**/**/bar", "foo/bar"));
  CHECK(match("foo/**/bar", "foo/bar"));
  CHECK(match("**/foo", "foo"));
  CHECK_FALSE(match("**/?o", "foo"));
  CHECK(match("**/foo", "XXX/foo"));
  CHECK(match("**/foo", "bar/baz/foo"));
  CHECK_FALSE(match("*/foo", "bar/baz/foo"));
  CHECK(match("**/bar*", "deep/foo/bar"));
  CHECK_FALSE(match("**/bar/*", "deep/foo/bar"));
  CHECK(match("**/bar/**", "deep/foo/bar/baz/x"));
  CHECK_FALSE(match("**/bar/**", "deep/foo/bar"));
  CHECK(match("a/**", "a/b/c"));
  CHECK_FALSE(match("a/**", "a"));
  CHECK(match("**\\/foo", "bar/foo"));
  CHECK_FALSE(match("**\\/foo", "foo"));
  CHECK(match("***/foo", "foo"));
}

TEST_CASE("without separators every star matches a slash", "[wildmatch]") {
  CHECK(match("foo*bar", "foo/baz/bar", Slash::ordinary));
  CHECK(match("foo?bar", "foo/bar", Slash::ordinary));
  CHECK(match("foo[/]bar", "foo/bar", Slash::ordinary));
  CHECK_FALSE(match("**/foo", "foo", Slash::ordinary));
}

TEST_CASE("bracket expressions", "[wildmatch]") {
  CHECK(match("[ab]", "b"));
  CHECK(match("t[a-g]n", "ten"));
  CHECK_FALSE(match("t[!a-g]n", "ten"));
  CHECK(match("t[^a-g]n", "ton"));
  CHECK(match("a[]]b", "a]b"));
  CHECK(match("a[]-]b", "a-b"));
  CHECK(match("a[]a-]b", "aab"));
  CHECK(match("]", "]"));
  CHECK(match("[\\-]", "-"));
  CHECK(match("[\\]]", "]"));
  CHECK(match("[a-]", "-"));
  CHECK(match("[+--]", "-"));
  CHECK(match("[--0]", "."));
  CHECK(match("[,-.]", "-"));
  CHECK(match("[a-c-z]", "-"));
  CHECK_FALSE(match("[a-c-z]", "x"));
  CHECK(match("[[-\\]]", "]"));
  CHECK(match("[\\1-\\3]", "2"));
  CHECK(match("[\\\\]", "\\"));
  CHECK_FALSE(match("[", "["));
  CHECK_FALSE(match("[a", "a"));
  CHECK_FALSE(match("[a-", "a"));
  CHECK_FALSE(match("[\\", "\\"));
  CHECK(match("[\xE0-\xEF]", "\xE4"));
}

TEST_CASE("character classes", "[wildmatch]") {
  CHECK(match("[[:alpha:]][[:digit:]][[:upper:]]", "a1B"));
  CHECK_FALSE(match("[[:digit:][:upper:][:space:]]", "a"));
  CHECK(match("[[:digit:][:upper:][:space:]]", " "));
  CHECK(match("[[:xdigit:]]", "f"));
  CHECK_FALSE(match("[[:xdigit:]]", "g"));
  CHECK(match("[a-c[:digit:]x-z]", "5"));
  CHECK(match("[[:punct:]]", "_"));
  CHECK_FALSE(match("[[:cntrl:]]", "a"));
  CHECK(match("[[:cntrl:]]", "\x7F"));
  CHECK_FALSE(match("[[:graph:]]", " "));
  CHECK_FALSE(match("[[:digit:][:spaci:]]", "1"));
  CHECK(match("[[:a]", ":"));
  CHECK(match("[[:]", "["));
  CHECK_FALSE(match("[[:alpha:", "a"));
}

TEST_CASE("letter case is ignored as git ignores it", "[wildmatch]") {
  CHECK(fold("foo", "FOO"));
  CHECK(fold("F?O*", "fxoy"));
  CHECK(fold("[B-Za]", "z"));
  CHECK(fold("[[:upper:]]", "a"));
  CHECK(fold("[[:lower:]]", "A"));
  CHECK_FALSE(fold("[A]", "a"));
  CHECK_FALSE(fold("\\A", "a"));
  CHECK_FALSE(fold("\\A", "A"));
  CHECK(fold("**/FOO", "x/foo"));
}

TEST_CASE("many stars cost no more than their number times the text", "[wildmatch]") {
  std::string pattern;
  for (int i = 0; i < 400; ++i) pattern += "*a";
  CHECK_FALSE(match(pattern + "b", std::string(4000, 'a')));
  std::string deep;
  for (int i = 0; i < 400; ++i) deep += "**/a*/";
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "aa/";
  CHECK_FALSE(match(deep + "b", path));
}

TEST_CASE("a pattern that takes more text than any path has matches nothing", "[wildmatch]") {
  constexpr std::size_t kLongest = std::size_t{1} << 16U;
  CHECK(match(std::string(kLongest, '?'), std::string(kLongest, 'a')));
  CHECK_FALSE(match(std::string(kLongest + 1, '?'), std::string(kLongest + 1, 'a')));
  CHECK_FALSE(match(std::string(50'000'000, '?') + "*", "a"));
  std::string sets;
  for (int i = 0; i < 100'000; ++i) sets += "[a][b]*";
  CHECK_FALSE(match(sets, "ab"));
}

TEST_CASE("directories that may be missing, many in a row", "[wildmatch]") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "**/";
  CHECK(match(deep + "a", "a"));
  CHECK(match(deep + "a", "x/y/a"));
  CHECK_FALSE(match(deep + "a", "x/b"));
  CHECK_FALSE(match(deep + "a", "xa"));
  CHECK(match("**/**/a/**/**/b", "x/a/b"));
  CHECK(match("**/**/a/**/**/b", "a/x/y/b"));
  CHECK_FALSE(match("**/**/a/**/**/b", "ab"));
}
