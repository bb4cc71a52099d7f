#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "git/repository/repository.h"
#include "git/worktree/convert.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::ConvertConfig;
using wafers::git::Repository;
using wafers::test::GitRepo;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace {

/// Sets environment variables for the length of a scope.
class Environment {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  explicit Environment(const Settings& settings) {
    for (const auto& [key, value] : settings) {
      const char* before = std::getenv(key.c_str());
      before_.emplace_back(key, before == nullptr ? std::optional<std::string>() : before);
      ::setenv(key.c_str(), value.c_str(), 1);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [key, value] : before_) {
      if (value) {
        ::setenv(key.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(key.c_str());
      }
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

/// The value that git finds and the one that we find, which must be the same.
std::string value_of(const GitRepo& git, const std::string& key) {
  const auto theirs = git.try_git({"config", "--get", key});
  const auto ours = Repository::open(git.path()).config(key);
  CHECK(ours.has_value() == theirs.ok());
  if (ours) CHECK(*ours + "\n" == theirs.out);
  return ours.value_or("(unset)");
}

}  // namespace

TEST_CASE("configuration is found where git finds it, the strongest last", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  CHECK(value_of(git, "test.key") == "(unset)");
  const Environment home({{"HOME", top / "home"},
                          {"XDG_CONFIG_HOME", top / "xdg"},
                          {"GIT_CONFIG_NOSYSTEM", "0"},
                          {"GIT_CONFIG_SYSTEM", top / "system"}});
  write_file(top / "system", "[test]\n\tkey = system\n");
  CHECK(value_of(git, "test.key") == "system");
  write_file(top / "xdg/git/config", "[test]\n\tkey = xdg\n");
  CHECK(value_of(git, "test.key") == "xdg");
  write_file(top / "home/.gitconfig", "[test]\n\tkey = home\n");
  CHECK(value_of(git, "test.key") == "home");
  git.git({"config", "test.key", "local"});
  CHECK(value_of(git, "test.key") == "local");
  git.git({"config", "extensions.worktreeConfig", "true"});
  git.git({"config", "--worktree", "test.key", "worktree"});
  CHECK(value_of(git, "test.key") == "worktree");
  const Environment count({{"GIT_CONFIG_COUNT", "1"},
                           {"GIT_CONFIG_KEY_0", "Test.KEY"},
                           {"GIT_CONFIG_VALUE_0", "count"}});
  CHECK(value_of(git, "test.key") == "count");
  const Environment parameters(
      Environment::Settings{{"GIT_CONFIG_PARAMETERS", "'x.y'='1' 'test.Key'='it'\\''s me'"}});
  CHECK(value_of(git, "test.key") == "it's me");
  const Environment old_form(
      Environment::Settings{{"GIT_CONFIG_PARAMETERS", "'test.key=old form'"}});
  CHECK(value_of(git, "test.key") == "old form");
}

TEST_CASE("GIT_CONFIG_GLOBAL replaces both global files", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  write_file(top / "home/.gitconfig", "[test]\n\thome = 1\n");
  write_file(top / "global", "[test]\n\tglobal = 1\n");
  const Environment environment({{"HOME", top / "home"}, {"GIT_CONFIG_GLOBAL", top / "global"}});
  CHECK(value_of(git, "test.home") == "(unset)");
  CHECK(value_of(git, "test.global") == "1");
}

TEST_CASE("includes and their conditions count", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  write_file(top / "home/plain", "[test]\n\tplain = 1\n");
  write_file(top / "home/here", "[test]\n\there = 1\n");
  write_file(top / "home/there", "[test]\n\tthere = 1\n");
  write_file(top / "home/branch", "[test]\n\tbranch = 1\n");
  write_file(top / "home/.gitconfig",
             "[include]\n\tpath = ~/plain\n[includeIf \"gitdir:" + git.path().string() +
                 "/\"]\n\tpath = here\n[includeIf \"gitdir:/no/\"]\n\t"
                 "path = there\n");
  git.git({"config", "includeIf.onbranch:main.path", top / "home/branch"});
  const Environment home(Environment::Settings{{"HOME", top / "home"}});
  CHECK(value_of(git, "test.plain") == "1");
  CHECK(value_of(git, "test.here") == "1");
  CHECK(value_of(git, "test.there") == "(unset)");
  CHECK(value_of(git, "test.branch") == "1");
}

TEST_CASE("includes by remotes' URLs count in their place", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const auto section = [](const std::string& glob, const std::string& path) {
    return "[includeIf \"hasconfig:remote.*.url:" + glob + "\"]\n\tpath = " + path + "\n";
  };
  write_file(top / "home/work", "[test]\n\twork = 1\n\tplace = included\n");
  write_file(top / "home/other", "[test]\n\tother = 1\n");
  write_file(top / "home/deep/local", "[test]\n\tlocal = 1\n\tlast = included\n");
  write_file(top / "home/.gitconfig",
             "[test]\n\tplace = before\n\tlast = before\n" +
                 section("https://example.com/**", "work") +
                 section("https://example.org/**", "~/other") + section("ssh://*", "~/other") +
                 section("https://*/team/*", "deep/local") + "[test]\n\tlast = behind\n");
  const Environment home(Environment::Settings{{"HOME", top / "home"}});
  CHECK(value_of(git, "test.work") == "(unset)");
  git.git({"remote", "add", "origin", "https://example.com/team/project"});
  CHECK(value_of(git, "test.work") == "1");
  CHECK(value_of(git, "test.place") == "included");
  CHECK(value_of(git, "test.other") == "(unset)");
  CHECK(value_of(git, "test.local") == "1");
  CHECK(value_of(git, "test.last") == "behind");
}

TEST_CASE("subsections keep their letter case, sections and names don't", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "Branch.Some.Thing.Remote", "a"});
  git.git({"config", "branch.some.thing.remote", "b"});
  CHECK(value_of(git, "branch.Some.Thing.remote") == "a");
  CHECK(value_of(git, "BRANCH.some.thing.REMOTE") == "b");
}

TEST_CASE("booleans are read as git reads them", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  for (const char* value :
       {"true", "YES", "on", "1", "2", "-1", "false", "no", "Off", "0", "", "1k", "junk", "0k"}) {
    git.git({"config", "test.flag", value});
    const auto theirs = git.try_git({"config", "--type=bool", "--get", "test.flag"});
    const Repository repository = Repository::open(git.path());
    INFO("value '" << value << "'");
    if (theirs.ok()) {
      CHECK(repository.config_bool("test.flag", theirs.out != "true\n") ==
            (theirs.out == "true\n"));
    } else {
      CHECK_THROWS_AS(repository.config_bool("test.flag", true), wafers::Error);
    }
  }
  write_file(git / ".git/config", "[test]\n\tflag\n");
  CHECK(Repository::open(git.path()).config_bool("test.flag", false));
  CHECK(Repository::open(git.path()).config_bool("test.other", true));
}

TEST_CASE("paths have their tilde expanded", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "core.excludesFile", "~/ignore"});
  const Environment home(Environment::Settings{{"HOME", top / "home"}});
  CHECK(Repository::open(git.path()).config_path("core.excludesFile") ==
        (top / "home/ignore").string());
  CHECK_FALSE(Repository::open(git.path()).config_path("core.attributesFile"));
}

TEST_CASE("conversion settings and filter drivers are collected", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  CHECK(convert_config(Repository::open(git.path())).autocrlf == ConvertConfig::AutoCrlf::no);
  git.git({"config", "core.autocrlf", "input"});
  git.git({"config", "core.eol", "crlf"});
  git.git({"config", "core.safecrlf", "true"});
  git.git({"config", "filter.a.b.clean", "clean me"});
  git.git({"config", "filter.a.b.required", "true"});
  git.git({"config", "filter.other.smudge", "smudge me"});
  const ConvertConfig config = convert_config(Repository::open(git.path()));
  CHECK(config.autocrlf == ConvertConfig::AutoCrlf::input);
  CHECK(config.eol == ConvertConfig::Eol::crlf);
  CHECK(config.safecrlf == ConvertConfig::SafeCrlf::fail);
  REQUIRE(config.drivers.size() == 2);
  CHECK(config.drivers[0].name == "a.b");
  CHECK(config.drivers[0].clean == "clean me");
  CHECK(config.drivers[0].required);
  CHECK(config.drivers[1].smudge == "smudge me");
  CHECK_FALSE(config.drivers[1].required);
  git.git({"config", "core.autocrlf", "true"});
  git.git({"config", "core.safecrlf", "false"});
  const ConvertConfig other = convert_config(Repository::open(git.path()));
  CHECK(other.autocrlf == ConvertConfig::AutoCrlf::yes);
  CHECK(other.safecrlf == ConvertConfig::SafeCrlf::no);
}

TEST_CASE("disguises of .git are guarded against as configured", "[config]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  CHECK(Repository::open(git.path()).path_protection().ntfs);
  CHECK_FALSE(Repository::open(git.path()).path_protection().hfs);
  git.git({"config", "core.protectHFS", "true"});
  git.git({"config", "core.protectNTFS", "false"});
  CHECK_FALSE(Repository::open(git.path()).path_protection().ntfs);
  CHECK(Repository::open(git.path()).path_protection().hfs);
}
