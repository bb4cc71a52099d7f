#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "git/repository/repository.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::Error;
using wafers::git::Identity;
using wafers::git::Repository;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

const char* const kVariables[] = {"GIT_AUTHOR_NAME",
                                  "GIT_AUTHOR_EMAIL",
                                  "GIT_AUTHOR_DATE",
                                  "GIT_COMMITTER_NAME",
                                  "GIT_COMMITTER_EMAIL",
                                  "GIT_COMMITTER_DATE",
                                  "EMAIL"};

/// Takes the identity out of the environment, and puts it back.
class NoIdentity {
 public:
  NoIdentity() {
    wafers::test::use_hermetic_git();
    for (const char* name : kVariables) {
      const char* value = std::getenv(name);
      if (value != nullptr) before_[name] = value;
      ::unsetenv(name);
    }
  }
  NoIdentity(const NoIdentity&) = delete;
  NoIdentity& operator=(const NoIdentity&) = delete;
  ~NoIdentity() {
    for (const char* name : kVariables) ::unsetenv(name);
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::string> before_;
};

std::string text_of(const Identity& who) {
  return who.name + " <" + who.email + "> " + std::to_string(who.seconds) + " " +
         std::to_string(who.offset_minutes);
}

/// Compares with `git var`, which prints the identity that git would commit with.
void check_as_git(const GitRepo& git) {
  const Repository repository = Repository::open(git.path());
  for (const auto& [role, variable] :
       {std::pair{Repository::Role::author, "GIT_AUTHOR_IDENT"},
        std::pair{Repository::Role::committer, "GIT_COMMITTER_IDENT"}}) {
    const Identity who = repository.identity(role);
    const std::string theirs = git.git_line({"var", variable});
    const std::string name_and_email = who.name + " <" + who.email + "> ";
    INFO(theirs);
    REQUIRE(theirs.substr(0, name_and_email.size()) == name_and_email);
    if (std::getenv("GIT_AUTHOR_DATE") != nullptr) {
      CHECK(theirs.substr(name_and_email.size(), std::to_string(who.seconds).size()) ==
            std::to_string(who.seconds));
    }
  }
}

}  // namespace

TEST_CASE("environment comes before role, role before user", "[identity]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "user.name", "  User, <Name>. "});
  git.git({"config", "user.email", "user@example.com"});
  check_as_git(git);
  git.git({"config", "author.name", "Author"});
  git.git({"config", "committer.email", "committer@example.com"});
  check_as_git(git);
  ::setenv("GIT_AUTHOR_NAME", "From Environment", 1);
  ::setenv("GIT_COMMITTER_EMAIL", "", 1);
  check_as_git(git);
}

TEST_CASE("EMAIL is the last resort", "[identity]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "user.name", "User"});
  ::setenv("EMAIL", "mail@example.com", 1);
  check_as_git(git);
  git.git({"config", "user.email", "user@example.com"});
  check_as_git(git);
}

TEST_CASE("dates are taken from the environment", "[identity]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "user.name", "User"});
  git.git({"config", "user.email", "user@example.com"});
  ::setenv("GIT_COMMITTER_DATE", "1112911993 -0700", 1);
  ::setenv("GIT_AUTHOR_DATE", "2005-04-07T22:13:13 +0200", 1);
  check_as_git(git);
  const Repository repository = Repository::open(git.path());
  CHECK(text_of(repository.identity(Repository::Role::committer)) ==
        "User <user@example.com> 1112911993 -420");
  CHECK(repository.identity(Repository::Role::author).offset_minutes == 120);
  ::setenv("GIT_AUTHOR_DATE", "no date at all", 1);
  CHECK_THROWS_AS(repository.identity(Repository::Role::author), Error);
}

TEST_CASE("author and committer of one run have one date", "[identity]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "user.name", "User"});
  git.git({"config", "user.email", "user@example.com"});
  const Repository repository = Repository::open(git.path());
  CHECK(repository.identity(Repository::Role::author).seconds ==
        repository.identity(Repository::Role::committer).seconds);
}

TEST_CASE("an unknown identity is an error with git's remedy", "[identity]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const auto failure = [&](Repository::Role role) -> Error {
    try {
      (void)Repository::open(git.path()).identity(role);
    } catch (const Error& error) {
      return error;
    }
    FAIL("an identity from nowhere");
    throw;
  };
  CHECK(failure(Repository::Role::author).message().starts_with("Author identity unknown"));
  CHECK(failure(Repository::Role::author).hint().find("user.email") != std::string::npos);
  git.git({"config", "user.name", "User"});
  CHECK(failure(Repository::Role::committer).message().starts_with("Committer identity unknown"));
  git.git({"config", "user.email", "user@example.com"});
  ::setenv("GIT_AUTHOR_NAME", "", 1);
  REQUIRE_FALSE(git.try_git({"var", "GIT_AUTHOR_IDENT"}).ok());
  CHECK(failure(Repository::Role::author).message().find("empty") != std::string::npos);
  ::setenv("GIT_AUTHOR_NAME", ".,;", 1);
  REQUIRE_FALSE(git.try_git({"var", "GIT_AUTHOR_IDENT"}).ok());
  CHECK(failure(Repository::Role::author).message().find("disallowed") != std::string::npos);
}

TEST_CASE("outside of repositories global configuration counts", "[identity]") {
  const NoIdentity nobody;
  CHECK_THROWS_AS(wafers::git::default_identity(Repository::Role::author), Error);
  ::setenv("GIT_AUTHOR_NAME", "A", 1);
  ::setenv("GIT_AUTHOR_EMAIL", "a@example.com", 1);
  CHECK(wafers::git::default_identity(Repository::Role::author).name == "A");
}
