#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "git/repository/ident.h"
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

/// What git makes of GIT_AUTHOR_DATE, or "" where it refuses it.
std::string date_by_git(const GitRepo& git) {
  const auto result = git.try_git({"var", "GIT_AUTHOR_IDENT"});
  if (!result.ok()) return {};
  const std::size_t start = result.out.find("> ") + 2;
  return result.out.substr(start, result.out.size() - start - 1);
}

std::string date_by_wafers(const Repository& repository) {
  Identity who;
  try {
    who = repository.identity(Repository::Role::author);
  } catch (const Error& error) {
    CHECK(error.message().starts_with("invalid date format in GIT_AUTHOR_DATE: '"));
    return {};
  }
  std::array<char, 64> buffer{};
  const int offset = std::abs(who.offset_minutes);
  std::snprintf(buffer.data(), buffer.size(), "%lld %c%02d%02d",
                static_cast<long long>(who.seconds), who.offset_minutes < 0 ? '-' : '+',
                offset / 60, offset % 60);
  return buffer.data();
}

class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
  ~TimeZone() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

const std::vector<std::string>& known_dates() {
  static const std::vector<std::string> dates{"@0 +0000",
                                              "@1112911993 -0700",
                                              "1112911993 -0700",
                                              "1112911993",
                                              "@1112911993",
                                              "@12",
                                              "@1 +01:00",
                                              "@1 +010",
                                              "@99999999999 +0100",
                                              "Thu, 07 Apr 2005 22:13:13 +0200",
                                              "Thu, 7 Apr 2005 15:13:13 -0700",
                                              "2005-04-07T22:13:13",
                                              "2005-04-07 22:13:13",
                                              "2005-04-07T22:13:13Z",
                                              "2005-04-07T22:13:13+0200",
                                              "2005-04-07T22:13:13+02:00",
                                              "2005-04-07T22:13:13-02",
                                              "2005-04-07T22:13:13.019-04:00",
                                              "2005-04-07 22:13:13.25",
                                              "20050407T221313",
                                              "20050407T2213",
                                              "20050407T22",
                                              "20050407 22:13:13 +0100",
                                              "20080214T203045.019-04:00",
                                              "2008.02.14 20:30:45",
                                              "14.02.2008 20:30",
                                              "02/14/2008 20:30:45",
                                              "14/02/2008 8:30 PM",
                                              "2008-02-14 12:00 AM",
                                              "Feb 14 2008 20:30:45 EST",
                                              "14 Feb 08 20:30:45 PDT",
                                              "Thu Feb 14 20:30:45 2008",
                                              "Thu Feb 14 20:30:45 2008 +0530",
                                              "2008-02-14",
                                              "2008-02-14 20:30",
                                              "20:30:45",
                                              "2008-02",
                                              "garbage",
                                              "now",
                                              "yesterday",
                                              "2100-01-01 00:00:00",
                                              "2099-12-31 23:59:59",
                                              "1969-12-31 23:59:59",
                                              "1970-01-01 00:00:00Z",
                                              "2008-02-30 00:00:00",
                                              "2008-13-01 00:00:00",
                                              "2008-02-14 25:00:00",
                                              "2008-02-14 24:00:00",
                                              "2008-02-14 23:59:60",
                                              "2008-02-14 20:30:45 +2400",
                                              "2008-02-14 20:30:45 +0060",
                                              "2008-02-14 20:30:45 -0000",
                                              "2008-02-14 20:30:45 MESZ",
                                              "2008-02-14 20:30:45 NZDT",
                                              "2008-02-14 20:30:45 BST",
                                              "2008-02-14 20:30:45 Z",
                                              "2008-02-14 20:30:45 z",
                                              "2008-02-14T20:30:45 GMT+1",
                                              "2008-02-14 20:30:45 +05: 3",
                                              "2008-02-14 20:30:45 0200",
                                              "99-02-14 10:00:00",
                                              "07-02-14 10:00:00",
                                              "10/11/12 10:00:00",
                                              "1 2 3 10:00:00",
                                              "May 5 2010 1:2:3",
                                              "mayday 5 2010 1:2:3",
                                              "20100505 1:2:3 +1",
                                              "100000000",
                                              "99999999",
                                              "1112911993 +0100 x",
                                              "2005-04-07 22:13:13\n2006",
                                              "Mon, 3 Jul 2006 17:18:43 +0200",
                                              "3 Jul 2006 17:18:43",
                                              "Jul 3 17:18:43 2006",
                                              "2006-07-03 17:18:43 -1",
                                              "2006-07-03T17",
                                              "2006-07-03T1718",
                                              "20060703T171843Z",
                                              "20060703171843",
                                              "2006-7-3 7:8:9",
                                              "T10 2006-07-03",
                                              "12/31/99 10:00",
                                              "31.12.99 10:00",
                                              "31/12/99 10:00",
                                              "2006-07-03 17:18:43 PM",
                                              "2006-07-03 5 PM",
                                              "2006-07-03 5:00 pm",
                                              "2030-01-01 10:00:00 +0000",
                                              "01.02.2099 10:00"};
  return dates;
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

TEST_CASE("dates are read as git reads them", "[identity][date]") {
  const NoIdentity nobody;
  const std::string zone = GENERATE(as<std::string>(), "UTC", "Europe/Berlin");
  const TimeZone local(zone.c_str());
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "user.name", "User"});
  git.git({"config", "user.email", "user@example.com"});
  const Repository repository = Repository::open(git.path());
  for (const std::string& text : known_dates()) {
    ::setenv("GIT_AUTHOR_DATE", text.c_str(), 1);
    INFO("date '" << text << "'");
    CHECK(date_by_wafers(repository) == date_by_git(git));
  }
}

TEST_CASE("a date in words needs no identity", "[identity][date]") {
  const NoIdentity nobody;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  ::setenv("GIT_AUTHOR_NAME", "", 1);
  ::setenv("GIT_AUTHOR_DATE", "2005-04-07T22:13:13 +0200", 1);
  CHECK(wafers::git::author_date(Repository::open(git.path())).seconds == 1112904793);
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
