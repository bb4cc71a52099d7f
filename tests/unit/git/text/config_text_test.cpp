#include "git/text/config_text.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::Error;
using wafers::git::parse_config_text;
using wafers::git::Setting;
using wafers::test::GitRepo;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace {

/// As `git config --list -z` prints them.
std::string listed(const std::vector<Setting>& settings) {
  std::string out;
  for (const Setting& setting : settings) {
    out += setting.key + (setting.value ? "\n" + *setting.value : "") + std::string(1, '\0');
  }
  return out;
}

const std::vector<std::string> kTexts{
    "",
    "\n",
    "# nothing\n; at all",
    "[a]\n\tb = c\n",
    "\xEF\xBB\xBF[a]\r\n\tB-1 =  c  \r\n",
    "[A \"Sub.Section\\\"\\x\"] Key=Value",
    "[A.Sub.x]key\n[b]\n key2 \t\n",
    "[a]b=c[d]e\n[a]b\n",
    "[a] b = \"  c # d ; \\\"e\\\\ \" f ; g \" h\n c=d",
    "[a] b = x\\\n  y\\\nz\\tq\\n\\b\n",
    "[a] b = x\\",
    "[a]\nb = \"\"\nc =\nd = ;\n",
    "[a \t \"b\"]c=d\n",
    "x = y\n",
    "[ \"x\"]y=z\n",
    "[include]\npath = /nowhere\n[includeIf \"gitdir:/\"]\npath = ~/x\n",
};

const std::vector<std::string> kMalformed{
    "[a\nb=c\n", "[a]\n1b = c\n",   "[a]\nb c\n",        "[a]\nb = \"c\n", "[a]\nb = \\c\n",
    "[a \"b]\n", "[a \"b\" ]c=d\n", "[a \"b\nc\"]d=e\n", "[a b]c=d\n",     "[a_b]\nc=d\n",
    "=x\n",      "[a]\n\nb!\n",     "[a]\nb # c\n",      "[]x=y\n",
};

}  // namespace

TEST_CASE("a configuration file says what git finds in it", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "repo");
  for (const std::string& text : kTexts) {
    INFO(text);
    write_file(top / "file", text);
    const std::string theirs =
        git.git({"config", "--list", "-z", "--no-includes", "--file", (top / "file").native()});
    CHECK(listed(parse_config_text(text)) == theirs);
  }
}

TEST_CASE("what git takes for no configuration is malformed", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "repo");
  for (const std::string& text : kMalformed) {
    INFO(text);
    write_file(top / "file", text);
    CHECK_FALSE(git.try_git({"config", "--list", "--file", (top / "file").native()}).ok());
    CHECK_THROWS_AS(parse_config_text(text), Error);
  }
  CHECK_THROWS_AS(parse_config_text(std::string("[a]\nb = c\0d\n", 12)), Error);
  CHECK_THROWS_WITH(parse_config_text("[a]\n\nb!\n"), "bad config line 3");
}
