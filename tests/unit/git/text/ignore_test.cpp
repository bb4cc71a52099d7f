#include "git/text/ignore.h"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::git::ignores_no_less;
using wafers::git::IgnoreScope;
using wafers::git::LetterCase;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// Contents of the ignore files, by directory ("" for the root, "a/b").
struct IgnoreFiles {
  std::map<std::string, std::string> files;
  std::string exclude;   ///< info/exclude
  std::string personal;  ///< core.excludesFile
};

/// A tree of files and directories that exist, and what git and we say of each.
class IgnoreCheckout {
 public:
  explicit IgnoreCheckout(std::vector<std::string> paths)
      : repo_(GitRepo::init(directory_.path())), paths_(std::move(paths)) {
    for (const std::string& path : paths_) {
      const std::filesystem::path full = repo_ / path;
      if (path.back() == '/') {
        std::filesystem::create_directories(full);
      } else {
        std::filesystem::create_directories(full.parent_path());
        wafers::test::write_file(full, "");
      }
    }
    repo_.git({"config", "core.excludesFile", (directory_ / ".git/personal").string()});
  }

  void ignore_case() {
    letters_ = LetterCase::ignored;
    repo_.git({"config", "core.ignoreCase", "true"});
  }

  /// The paths that are ignored, in the order of the tree.
  std::vector<std::string> by_git(const IgnoreFiles& rules) const {
    for (const auto& [dir, content] : rules.files) repo_.write(ignore_file(dir), content);
    repo_.write(".git/info/exclude", rules.exclude);
    repo_.write(".git/personal", rules.personal);
    // check-ignore matches a slash at the end as a part of the path; the walk of `add` has none.
    std::string input;
    for (const std::string& path : paths_) input += without_slash(path) + '\0';
    const auto result = repo_.try_git({"check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"},
                                      {.cwd = {}, .environment = {}, .input = input});
    for (const auto& [dir, content] : rules.files) {
      std::filesystem::remove(repo_ / ignore_file(dir));
    }
    const std::set<std::string> ignored = ignored_in(result.out);
    std::vector<std::string> in_order;
    for (const std::string& path : paths_) {
      if (ignored.contains(without_slash(path))) in_order.push_back(path);
    }
    return in_order;
  }

  std::vector<std::string> by_wafers(const IgnoreFiles& rules) const {
    std::vector<std::string> ignored;
    for (const std::string& path : paths_) {
      if (is_ignored(rules, path)) ignored.push_back(path);
    }
    return ignored;
  }

 private:
  static std::filesystem::path ignore_file(const std::string& directory) {
    return std::filesystem::path(directory) / ".gitignore";
  }

  static std::string without_slash(const std::string& path) {
    return path.back() == '/' ? path.substr(0, path.size() - 1) : path;
  }

  /// Four fields for each path, each ended by NUL: file, line, pattern, path.
  static std::set<std::string> ignored_in(const std::string& out) {
    std::vector<std::string> fields(1);
    for (const char c : out) {
      if (c == '\0') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    std::set<std::string> ignored;
    for (std::size_t i = 0; i + 3 < fields.size(); i += 4) {
      const std::string& pattern = fields[i + 2];
      if (!pattern.empty() && pattern.front() != '!') ignored.insert(fields[i + 3]);
    }
    return ignored;
  }

  bool is_ignored(const IgnoreFiles& rules, std::string path) const {
    const bool is_directory = path.back() == '/';
    path = without_slash(path);
    const auto content = [&rules](const std::string& dir) {
      const auto found = rules.files.find(dir);
      return found == rules.files.end() ? std::string() : found->second;
    };
    auto scope = IgnoreScope::root(rules.personal, rules.exclude, content(""), letters_);
    std::size_t start = 0;
    for (std::size_t slash = 0; (slash = path.find('/', start)) != std::string::npos;) {
      scope = IgnoreScope::child(scope, path.substr(start, slash - start),
                                 content(path.substr(0, slash)));
      start = slash + 1;
    }
    return scope->is_ignored(path.substr(start), is_directory);
  }

  TempDir directory_;
  GitRepo repo_;
  std::vector<std::string> paths_;
  LetterCase letters_ = LetterCase::sensitive;
};

using Paths = std::vector<std::string>;

Paths ignored(const std::string& gitignore, const Paths& paths) {
  const IgnoreCheckout checkout(paths);
  const IgnoreFiles rules{.files = {{"", gitignore}}, .exclude = {}, .personal = {}};
  const Paths ours = checkout.by_wafers(rules);
  CHECK(ours == checkout.by_git(rules));
  return ours;
}

}  // namespace

TEST_CASE("a name matches at any depth, a path only where it says", "[ignore]") {
  CHECK(ignored("foo\n", {"foo", "a/foo", "foobar"}) == Paths{"foo", "a/foo"});
  CHECK(ignored("/foo\n", {"foo", "a/foo"}) == Paths{"foo"});
  CHECK(ignored("a/foo\n", {"a/foo", "b/a/foo"}) == Paths{"a/foo"});
  CHECK(ignored("**/a/foo\n", {"a/foo", "b/a/foo"}) == Paths{"a/foo", "b/a/foo"});
  CHECK(ignored("*.o\n", {"x.o", "a/y.o", "z.c"}) == Paths{"x.o", "a/y.o"});
  CHECK(ignored("/*.o\n", {"x.o", "a/y.o"}) == Paths{"x.o"});
}

TEST_CASE("a pattern with a slash at its end is for directories", "[ignore]") {
  CHECK(ignored("build/\n", {"build/", "a/build"}) == Paths{"build/"});
  CHECK(ignored("build/\n", {"build/x", "a/build/y"}) == Paths{"build/x", "a/build/y"});
  CHECK(ignored("/a/\n", {"a/", "b/a/"}) == Paths{"a/"});
}

TEST_CASE("a later negation brings back, but not from an ignored directory", "[ignore]") {
  CHECK(ignored("*.log\n!keep.log\n", {"a.log", "keep.log"}) == Paths{"a.log"});
  CHECK(ignored("d/\n!d/keep\n", {"d/", "d/keep"}) == Paths{"d/", "d/keep"});
  CHECK(ignored("d/*\n!d/keep\n", {"d/", "d/keep", "d/x"}) == Paths{"d/x"});
  CHECK(ignored("!keep\n*\n", {"keep"}) == Paths{"keep"});
  CHECK(ignored("/*\n!/foo\n/foo/*\n!/foo/bar\n", {"x", "foo/bar/y", "foo/z"}) ==
        Paths{"x", "foo/z"});
}

TEST_CASE("blanks, comments, escapes and line ends of an ignore file", "[ignore]") {
  CHECK(ignored("foo   \n", {"foo", "foo   "}) == Paths{"foo"});
  CHECK(ignored("foo\\ \n", {"foo", "foo "}) == Paths{"foo "});
  CHECK(ignored("foo\\  \n", {"foo ", "foo  "}) == Paths{"foo "});
  CHECK(ignored("foo\t\n", {"foo", "foo\t"}) == Paths{"foo\t"});
  CHECK(ignored("foo \\\n", {"foo", "foo ", "foo \\"}).empty());
  CHECK(ignored(" foo\n", {"foo", " foo"}) == Paths{" foo"});
  CHECK(ignored("#foo\n\\#bar\n", {"#foo", "#bar", "foo"}) == Paths{"#bar"});
  CHECK(ignored("\\!foo\n", {"!foo", "foo"}) == Paths{"!foo"});
  CHECK(ignored("foo\r\nbar\r\n", {"foo", "bar", "foo\r"}) == Paths{"foo", "bar"});
  CHECK(ignored("foo\r\r\n", {"foo", "foo\r"}) == Paths{"foo\r"});
  CHECK(ignored("foo\r", {"foo", "foo\r"}) == Paths{"foo"});
  CHECK(ignored("foo", {"foo"}) == Paths{"foo"});
  CHECK(ignored("\xEF\xBB\xBF"
                "foo\n",
                {"foo"}) == Paths{"foo"});
  CHECK(ignored("\n\n\r\n!\n/\n//\nfoo\n", {"foo", "x"}) == Paths{"foo"});
  CHECK(ignored(std::string("fo\0o\nbar\n", 9), {"fo", "foo", "bar"}) == Paths{"fo", "bar"});
}

TEST_CASE("two stars after a literal beginning reach into directories", "[ignore]") {
  CHECK(ignored("a**/b\n", {"a/b", "ab", "ax/b", "ax/y/b"}) ==
        Paths{"a/b", "ab", "ax/b", "ax/y/b"});
  CHECK(ignored("a/**\n", {"a/", "a/b/c"}) == Paths{"a/b/c"});
  CHECK(ignored("a/**/b\n", {"a/b", "a/x/b", "a/x/y/b"}) == Paths{"a/b", "a/x/b", "a/x/y/b"});
  CHECK(ignored("**\n!**/\n", {"a/b", "c"}) == Paths{"a/b", "c"});
}

TEST_CASE("the nearest ignore file decides, then info/exclude, then the user's", "[ignore]") {
  const IgnoreCheckout checkout({"x", "y", "z", "a/x", "a/y", "a/z", "a/b/x", "a/b/y", "a/b/z"});
  const IgnoreFiles rules{.files = {{"", "x\n!y\n"}, {"a", "!x\n/b/y\n"}, {"a/b", "!y\nz\n"}},
                          .exclude = "y\nx\n!z\n",
                          .personal = "z\n"};
  CHECK(checkout.by_wafers(rules) == Paths{"x", "a/b/z"});
  CHECK(checkout.by_git(rules) == Paths{"x", "a/b/z"});
}

TEST_CASE("below an ignored directory nothing is looked up", "[ignore]") {
  const auto root = IgnoreScope::root("", "", "d/\n", LetterCase::sensitive);
  const auto inside = IgnoreScope::child(root, "d", "!*\n");
  CHECK(inside->all_ignored());
  CHECK(inside->is_ignored("x", false));
  CHECK(IgnoreScope::child(inside, "e", "!*\n")->all_ignored());
  CHECK_FALSE(IgnoreScope::child(root, "c", "")->all_ignored());
}

TEST_CASE("core.ignoreCase", "[ignore]") {
  IgnoreCheckout checkout({"FOO", "a/Foo.TXT", "bar", "Lib/X"});
  checkout.ignore_case();
  const IgnoreFiles rules{
      .files = {{"", "foo\n*.txt\nlib/x\n[B]ar\n"}}, .exclude = {}, .personal = {}};
  CHECK(checkout.by_wafers(rules) == Paths{"FOO", "a/Foo.TXT", "Lib/X"});
  CHECK(checkout.by_git(rules) == Paths{"FOO", "a/Foo.TXT", "Lib/X"});
}

namespace {

/// Patterns made of pieces that mean something, on a tree of few letters.
class PatternMaker {
 public:
  explicit PatternMaker(unsigned seed) : random_(seed) {}

  std::string file() {
    std::string out;
    for (std::size_t i = 1 + pick(6); i > 0; --i) {
      if (pick(4) == 0) out += '!';
      for (std::size_t pieces = 1 + pick(6); pieces > 0; --pieces) out += piece();
      if (pick(12) == 0) out += ' ';
      out += pick(10) == 0 ? "\r\n" : "\n";
    }
    return out;
  }

 private:
  static constexpr std::array kPieces{
      "a",  "b",    "a",    "b",   "/",   "/", "*",     "**",   "**/",         "/**/", "/**",
      "?",  "[ab]", "[!a]", "\\a", "\\",  " ", "[a-b]", "[^b]", "[[:alpha:]]", "c",    "[]",
      "[a", ".",    "[b-]", "\\*", "***", "A", "[A-B]", "\\A",  "*/"};

  std::size_t pick(std::size_t count) { return random_() % count; }
  std::string piece() { return kPieces.at(pick(kPieces.size())); }

  std::mt19937 random_;
};

Paths small_tree() {
  Paths paths;
  const std::array names{"a", "b", "ab", "c.a", "*", "b ", "-"};
  for (const std::string top : {"", "a/", "b/", "a/b/", "a/b/a/", "ab/", "c/a/"}) {
    if (!top.empty()) paths.push_back(top);
    for (const std::string name : names) {
      const bool taken = top + name == "a" || top + name == "b" || top + name == "ab" ||
                         top + name == "a/b" || top + name == "a/b/a";
      if (!taken) paths.push_back(top + name);
    }
  }
  return paths;
}

void compare_random_rules(const IgnoreCheckout& checkout, unsigned first_seed, unsigned count) {
  for (unsigned seed = first_seed; seed < first_seed + count; ++seed) {
    PatternMaker make(seed);
    const IgnoreFiles rules{.files = {{"", make.file()}, {"a", make.file()}, {"a/b", make.file()}},
                            .exclude = make.file(),
                            .personal = make.file()};
    INFO("seed " << seed << "\n.gitignore:\n"
                 << rules.files.at("") << "a/.gitignore:\n"
                 << rules.files.at("a") << "a/b/.gitignore:\n"
                 << rules.files.at("a/b") << "exclude:\n"
                 << rules.exclude << "personal:\n"
                 << rules.personal);
    REQUIRE(checkout.by_wafers(rules) == checkout.by_git(rules));
  }
}

}  // namespace

TEST_CASE("random patterns ignore what git ignores", "[ignore][differential]") {
  compare_random_rules(IgnoreCheckout(small_tree()), 0, 200);
}

TEST_CASE("random patterns ignore what git ignores in any letter case", "[ignore][differential]") {
  IgnoreCheckout checkout(small_tree());
  checkout.ignore_case();
  compare_random_rules(checkout, 10000, 100);
}

TEST_CASE("rules that gained nothing but exclusions ignore no less", "[ignore]") {
  CHECK(ignores_no_less("", ""));
  CHECK(ignores_no_less("", "a\nb\n"));
  CHECK(ignores_no_less("a\n!b\n", "# c\n\nx\na\ny\n!b\nz"));
  CHECK(ignores_no_less("a", "a\nb\n"));
  CHECK(ignores_no_less("# x\na\n", "a\n"));
  CHECK(ignores_no_less("a\n",
                        "\xEF\xBB\xBF"
                        "a\n"));
  CHECK(ignores_no_less("", "\\!a\n"));
  CHECK_FALSE(ignores_no_less("a\n", ""));
  CHECK_FALSE(ignores_no_less("a\n", "ab\n"));
  CHECK_FALSE(ignores_no_less("a\n!b\n", "!b\na\n"));
  CHECK_FALSE(ignores_no_less("a\n", "a\n!b\n"));
  CHECK_FALSE(ignores_no_less("", "!b\n"));
  CHECK_FALSE(ignores_no_less("a\n",
                              "\xEF\xBB\xBF"
                              "!b\na\n"));
  CHECK_FALSE(ignores_no_less("a \n", "a\n"));
}

TEST_CASE("what was ignored stays ignored by rules that ignore no less", "[ignore]") {
  std::mt19937 random(7);
  const std::array<std::string, 8> lines{"a", "b", "!a", "!b", "*", "!*", "a*", "/b"};
  const auto some = [&] {
    std::string text;
    for (auto count = random() % 4; count > 0; --count) text += lines[random() % 8] + "\n";
    return text;
  };
  const auto ignored = [](const std::string& rules, const std::string& name) {
    return IgnoreScope::root("ab\n!a\n", "b\n", rules, LetterCase::sensitive)
        ->is_ignored(name, false);
  };
  std::size_t told = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string before = some();
    const std::string after = some();
    if (!ignores_no_less(before, after)) continue;
    ++told;
    for (const std::string name : {"a", "b", "ab", "c"}) {
      INFO(before << "then\n" << after << name);
      REQUIRE((!ignored(before, name) || ignored(after, name)));
    }
  }
  CHECK(told > 1000);
}
