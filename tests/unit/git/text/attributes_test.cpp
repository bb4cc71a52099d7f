#include "git/text/attributes.h"

#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::git::Attributes;
using wafers::git::AttributeScope;
using wafers::git::AttributeValue;
using wafers::git::LetterCase;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// Contents of the attributes files, by directory ("" for the root, "a/b").
struct AttributeFiles {
  std::map<std::string, std::string> files;
  std::string info;
  std::string personal;  ///< core.attributesFile
};

/// "attribute: value" of each path in words, as git check-attr says it.
using Answer = std::map<std::string, std::map<std::string, std::string>>;

std::string in_words(const AttributeValue& value) {
  switch (value.state) {
    case AttributeValue::State::set:
      return "set";
    case AttributeValue::State::unset:
      return "unset";
    case AttributeValue::State::value:
      return value.text;
  }
  return {};
}

class AttributesCheckout {
 public:
  AttributesCheckout() : repo_(GitRepo::init(directory_.path())) {
    repo_.git({"config", "core.attributesFile", (directory_ / ".git/personal").string()});
  }

  void ignore_case() {
    letters_ = LetterCase::ignored;
    repo_.git({"config", "core.ignoreCase", "true"});
  }

  Answer by_git(const AttributeFiles& rules, const std::vector<std::string>& paths) const {
    const auto file = [](const std::string& directory) {
      return std::filesystem::path(directory) / ".gitattributes";
    };
    for (const auto& [dir, content] : rules.files) repo_.write(file(dir), content);
    repo_.write(".git/info/attributes", rules.info);
    repo_.write(".git/personal", rules.personal);
    std::string input;
    for (const std::string& path : paths) input += path + '\0';
    const std::string out = repo_.git({"check-attr", "--stdin", "-z", "-a"},
                                      {.cwd = {}, .environment = {}, .input = input});
    for (const auto& [dir, content] : rules.files) std::filesystem::remove(repo_ / file(dir));
    return parse(out);
  }

  Answer by_wafers(const AttributeFiles& rules, const std::vector<std::string>& paths) const {
    Answer answer;
    for (const std::string& path : paths) {
      for (const auto& [name, value] : of(rules, path)) answer[path][name] = in_words(value);
    }
    return answer;
  }

 private:
  /// Three fields for each attribute, each ended by NUL: path, attribute, value.
  static Answer parse(const std::string& out) {
    std::vector<std::string> fields(1);
    for (const char c : out) {
      if (c == '\0') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    Answer answer;
    for (std::size_t i = 0; i + 2 < fields.size(); i += 3) {
      answer[fields[i]][fields[i + 1]] = fields[i + 2];
    }
    return answer;
  }

  Attributes of(const AttributeFiles& rules, const std::string& path) const {
    const auto content = [&rules](const std::string& dir) {
      const auto found = rules.files.find(dir);
      return found == rules.files.end() ? std::string() : found->second;
    };
    auto scope = AttributeScope::root(rules.personal, rules.info, content(""), letters_);
    std::size_t start = 0;
    for (std::size_t slash = 0; (slash = path.find('/', start)) != std::string::npos;) {
      scope = AttributeScope::child(scope, path.substr(start, slash - start),
                                    content(path.substr(0, slash)));
      start = slash + 1;
    }
    return scope->of_file(path.substr(start));
  }

  TempDir directory_;
  GitRepo repo_;
  LetterCase letters_ = LetterCase::sensitive;
};

Answer attributes(const std::string& gitattributes, const std::vector<std::string>& paths) {
  const AttributesCheckout checkout;
  const AttributeFiles rules{.files = {{"", gitattributes}}, .info = {}, .personal = {}};
  const Answer ours = checkout.by_wafers(rules, paths);
  CHECK(ours == checkout.by_git(rules, paths));
  return ours;
}

}  // namespace

TEST_CASE("an attribute is set, unset, given a value or left unspecified", "[attributes]") {
  CHECK(attributes("* a -b c=d !e\n", {"x"}) ==
        Answer{{"x", {{"a", "set"}, {"b", "unset"}, {"c", "d"}}}});
  CHECK(attributes("* a=\n* -b=c\n", {"x"}) == Answer{{"x", {{"a", ""}, {"b", "unset"}}}});
  CHECK(attributes("* a a=b -a\n", {"x"}) == Answer{{"x", {{"a", "unset"}}}});
  CHECK(attributes("* a\nx !a\n", {"x", "y"}) == Answer{{"y", {{"a", "set"}}}});
  CHECK(attributes("* a=b=c\n", {"x"}) == Answer{{"x", {{"a", "b=c"}}}});
}

TEST_CASE("patterns of an attributes file", "[attributes]") {
  CHECK(attributes("*.c a\n", {"x.c", "d/y.c", "z"}) ==
        Answer{{"d/y.c", {{"a", "set"}}}, {"x.c", {{"a", "set"}}}});
  CHECK(attributes("/x a\n", {"x", "d/x"}) == Answer{{"x", {{"a", "set"}}}});
  CHECK(attributes("d a\nd/ b\nd/** c\n", {"d/x"}) == Answer{{"d/x", {{"c", "set"}}}});
  CHECK(attributes("!x a\nx b\n", {"x", "!x"}) == Answer{{"x", {{"b", "set"}}}});
  CHECK(attributes("\\!x a\n", {"!x"}) == Answer{{"!x", {{"a", "set"}}}});
  CHECK(attributes("\"a b\" q\n\"\\141\\tc\" r\n", {"a b", "a\tc"}) ==
        Answer{{"a\tc", {{"r", "set"}}}, {"a b", {{"q", "set"}}}});
  CHECK(attributes("\"a\\q\" x\n\"ab y\n", {"a", "\"ab", "ab"}) ==
        Answer{{"\"ab", {{"y", "set"}}}});
  CHECK(attributes("\"a\"b\n", {"a"}) == Answer{{"a", {{"b", "set"}}}});
}

TEST_CASE("lines that git drops, and how it reads the others", "[attributes]") {
  CHECK(attributes("# * a\n\n  \t\n   x b\n", {"x"}) == Answer{{"x", {{"b", "set"}}}});
  CHECK(attributes("* a ?b\n* c\n", {"x"}) == Answer{{"x", {{"c", "set"}}}});
  CHECK(attributes("* --a\n* =b\n* !\n", {"x"}).empty());
  CHECK(attributes("* a\r\n* b", {"x"}) == Answer{{"x", {{"a", "set"}, {"b", "set"}}}});
  CHECK(attributes("\xEF\xBB\xBFx a\n", {"x"}) == Answer{{"x", {{"a", "set"}}}});
  CHECK(attributes(std::string("* a\0 b\n* c\n", 11), {"x"}) ==
        Answer{{"x", {{"a", "set"}, {"c", "set"}}}});
  CHECK(attributes("* a=" + std::string(2043, 'x') + "\n", {"x"}).size() == 1);
  CHECK(attributes("* a=" + std::string(2044, 'x') + "\n", {"x"}).empty());
}

TEST_CASE("macros", "[attributes]") {
  CHECK(
      attributes("* binary\n", {"x"}) ==
      Answer{{"x", {{"binary", "set"}, {"diff", "unset"}, {"merge", "unset"}, {"text", "unset"}}}});
  CHECK(attributes("* binary text\n", {"x"}).at("x").at("text") == "set");
  CHECK(attributes("* text binary\n", {"x"}).at("x").at("text") == "unset");
  CHECK(attributes("* -binary\n", {"x"}) == Answer{{"x", {{"binary", "unset"}}}});
  CHECK(attributes("[attr]m a -b n\n[attr]n c=d\nx m\n", {"x"}) ==
        Answer{{"x", {{"a", "set"}, {"b", "unset"}, {"c", "d"}, {"m", "set"}, {"n", "set"}}}});
  CHECK(attributes("[attr]m a\n[attr]m b\nx m\n", {"x"}) ==
        Answer{{"x", {{"b", "set"}, {"m", "set"}}}});
  CHECK(attributes("[attr]binary c\nx binary\n", {"x"}) ==
        Answer{{"x", {{"binary", "set"}, {"c", "set"}}}});
  CHECK(attributes("[attr]m m\nx m\n", {"x"}) == Answer{{"x", {{"m", "set"}}}});
  CHECK(attributes("[attr] m a\n", {"m", "a", "x"}) == Answer{{"a", {{"a", "set"}, {"m", "set"}}}});
  CHECK(attributes("[attr]-m a\n\"[attr]n b\" c\nx n\n", {"x"}) ==
        Answer{{"x", {{"c", "set"}, {"n", "set"}}}});
}

TEST_CASE("precedence of the files", "[attributes]") {
  const AttributesCheckout checkout;
  const std::vector<std::string> paths{"x", "a/x", "a/b/x", "a/b/y"};
  const AttributeFiles rules{.files = {{"", "* a=root b=root c=root\n[attr]m ok\n* m\n"},
                                       {"a", "* b=a c=a\n[attr]k no\n* k\n"},
                                       {"a/b", "x c=ab !a\n/y d=ab\nb/y e=no\n"}},
                             .info = "a/b/* b=info\n",
                             .personal = "* a=user z=user\n[attr]m weaker\n[attr]k user\n"};
  const Answer ours = checkout.by_wafers(rules, paths);
  CHECK(ours == checkout.by_git(rules, paths));
  CHECK(ours.at("x").at("z") == "user");
  CHECK(ours.at("a/b/x").at("b") == "info");
  CHECK_FALSE(ours.at("a/b/x").contains("a"));
  CHECK(ours.at("a/b/y").at("d") == "ab");
  CHECK(ours.at("a/x").at("user") == "set");
}

TEST_CASE("core.ignoreCase holds for attributes", "[attributes]") {
  AttributesCheckout checkout;
  checkout.ignore_case();
  const AttributeFiles rules{.files = {{"", "*.TXT a\nD/x b\n"}}, .info = {}, .personal = {}};
  const std::vector<std::string> paths{"x.txt", "d/X"};
  CHECK(checkout.by_wafers(rules, paths) ==
        Answer{{"d/X", {{"b", "set"}}}, {"x.txt", {{"a", "set"}}}});
  CHECK(checkout.by_wafers(rules, paths) == checkout.by_git(rules, paths));
}

TEST_CASE("a scope without rules knows that it is empty", "[attributes]") {
  const auto root = AttributeScope::root("", "# nothing\n", "", LetterCase::sensitive);
  CHECK(root->empty());
  CHECK_FALSE(AttributeScope::child(root, "a", "* text\n")->empty());
  CHECK(AttributeScope::child(root, "a", "")->empty());
}

namespace {

class RuleMaker {
 public:
  explicit RuleMaker(unsigned seed) : random_(seed) {}

  std::string file() {
    std::string out;
    for (std::size_t i = 1 + pick(5); i > 0; --i) {
      out += pick(6) == 0 ? "[attr]" + attribute() : pattern();
      for (std::size_t states = pick(4); states > 0; --states) out += " " + state();
      out += pick(8) == 0 ? "\r\n" : "\n";
    }
    return out;
  }

 private:
  static constexpr std::array kPatterns{"*",    "a",     "/a",   "*.c",       "a/*",   "a/**",
                                        "**/b", "[ab]*", "\\a",  "\"a b\"",   "\"x",   "a/",
                                        "!a",   "b/a",   "/b/a", "\"\\142\"", "/**/a", "?"};
  static constexpr std::array kAttributes{"text", "binary", "m", "n", "x.y", "-bad", "b:d"};

  std::size_t pick(std::size_t count) { return random_() % count; }
  std::string pattern() { return kPatterns.at(pick(kPatterns.size())); }
  std::string attribute() {
    return kAttributes.at(pick(pick(5) == 0 ? kAttributes.size() : kAttributes.size() - 2));
  }
  std::string state() {
    switch (pick(5)) {
      case 0:
        return "-" + attribute();
      case 1:
        return "!" + attribute();
      case 2:
        return attribute() + "=v" + std::to_string(pick(3));
      default:
        return attribute();
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("random rules give the attributes that git gives", "[attributes][differential]") {
  const AttributesCheckout checkout;
  const std::vector<std::string> paths{"a",   "b",   "a b",   "x.c",   "a/a",   "a/b",
                                       "b/a", "b/b", "a/b/a", "a/b/b", "a/b/x", "a/b/a b"};
  for (unsigned seed = 0; seed < 200; ++seed) {
    RuleMaker make(seed);
    const AttributeFiles rules{
        .files = {{"", make.file()}, {"a", make.file()}, {"a/b", make.file()}},
        .info = make.file(),
        .personal = make.file()};
    INFO("seed " << seed << "\n.gitattributes:\n"
                 << rules.files.at("") << "a:\n"
                 << rules.files.at("a") << "a/b:\n"
                 << rules.files.at("a/b") << "info:\n"
                 << rules.info << "personal:\n"
                 << rules.personal);
    REQUIRE(checkout.by_wafers(rules, paths) == checkout.by_git(rules, paths));
  }
}

TEST_CASE("macros in macros take no stack", "[attributes]") {
  constexpr int kMacros = 200'000;
  std::string rules = "x m0\n";
  for (int i = 0; i < kMacros; ++i) {
    rules += "[attr]m" + std::to_string(i) + " m" + std::to_string(i + 1) + "\n";
  }
  const auto scope = AttributeScope::root("", "", rules, LetterCase::sensitive);
  CHECK(scope->of_file("x").size() == kMacros + 1);
}
