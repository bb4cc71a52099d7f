#include "git/text/quote.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::git::clean_identity_part;
using wafers::git::clean_message;
using wafers::git::Cleanup;
using wafers::git::is_forbidden_component;
using wafers::git::is_forbidden_symlink;
using wafers::git::parse_author;
using wafers::git::parse_date;
using wafers::git::PathProtection;
using wafers::git::quote_path;
using wafers::git::quote_status_path;
using wafers::git::subject_of;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("paths are quoted as git quotes them", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  const std::vector<std::string> names{"plain", "a b",      "tab\there", "new\nline",  "q\"uote",
                                       "b\\s",  "\xC3\xA4", "\x01\x7F",  "\a\b\v\f\r", "\xFF",
                                       "-x'y",  "\x1B[31m", "~$`*"};
  for (const std::string& name : names) {
    repo.write("file", "");
    std::filesystem::rename(repo / "file", repo / name);
    for (const bool quote_high : {true, false}) {
      const std::string setting = std::string("core.quotePath=") + (quote_high ? "true" : "false");
      CHECK(quote_path(name, quote_high) + "\n" == repo.git({"-c", setting, "ls-files", "-o"}));
      CHECK("?? " + quote_status_path(name, quote_high) + "\n" ==
            repo.git({"-c", setting, "status", "--porcelain"}));
    }
    std::filesystem::remove(repo / name);
  }
  CHECK(quote_path("") == "");
}

TEST_CASE("names and emails are cleaned as git cleans them", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string name : {"A U Thor", " A ", "A. B.", ".,:;<>\"\\'x'\"", "a<b>c", "a\nb",
                                 "\tx\x01", "\xC3\xA4.", "a, Inc.", "(x)", "x-"}) {
    const std::string ident =
        repo.git({"var", "GIT_AUTHOR_IDENT"},
                 {.cwd = {},
                  .environment = {"GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + name + "@h"},
                  .input = {}});
    CHECK(ident == clean_identity_part(name) + " <" + clean_identity_part(name + "@h") +
                       "> 1112911993 -0700\n");
  }
  CHECK(clean_identity_part(" .,; ").empty());
}

TEST_CASE("--author is taken as git takes it", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string text : {"A B <a@b>", "A B<a@b>", "  A  B   < a@b >  ", "A <a@b> junk",
                                 "A <a@b> 123 +0100", "A <a<b>c>", "A. <.x.>", "\"Q\" <q@r>",
                                 "A <>", "<a@b>", "A <b", "A > b <", ". <x>", "A <b> <c>"}) {
    const auto result =
        repo.try_git({"commit", "-q", "--allow-empty", "-m", "x", "--author=" + text});
    const auto author = parse_author(text);
    INFO("'" << text << "': " << result.err);
    CHECK(author.has_value() == result.ok());
    if (!author || !result.ok()) continue;
    CHECK(author->name + "\n" + author->email + "\n" ==
          repo.git({"log", "-1", "--format=%an%n%ae"}));
  }
  // Git looks such a text up in the history; there is no such service here.
  CHECK_FALSE(parse_author("A B"));
  CHECK_FALSE(parse_author(""));
}

namespace {

/// What git makes of a date: "<seconds> <+hhmm>", or "" where it refuses it.
std::string date_by_git(const GitRepo& repo, const std::string& text) {
  const auto result =
      repo.try_git({"var", "GIT_AUTHOR_IDENT"},
                   {.cwd = {}, .environment = {"GIT_AUTHOR_DATE=" + text}, .input = {}});
  if (!result.ok()) return {};
  const std::size_t start = result.out.find("> ") + 2;
  return result.out.substr(start, result.out.size() - start - 1);
}

std::string date_by_wafers(const std::string& text) {
  const auto date = parse_date(text);
  if (!date) return {};
  std::array<char, 64> buffer{};
  const int offset = std::abs(date->offset_minutes);
  std::snprintf(buffer.data(), buffer.size(), "%lld %c%02d%02d",
                static_cast<long long>(date->seconds), date->offset_minutes < 0 ? '-' : '+',
                offset / 60, offset % 60);
  return buffer.data();
}

void compare_dates(const std::vector<std::string>& dates) {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string& text : dates) {
    INFO("date '" << text << "'");
    CHECK(date_by_wafers(text) == date_by_git(repo, text));
  }
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

TEST_CASE("dates are read as git reads them", "[format][date]") {
  compare_dates(known_dates());
  CHECK_FALSE(parse_date(""));
  CHECK_FALSE(parse_date("@18446744073709551614 +0000"));
}

TEST_CASE("dates without zone are local", "[format][date]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  const TimeZone zone("Europe/Berlin");
  compare_dates(known_dates());
  CHECK(date_by_wafers("2005-07-07T12:00:00") == "1120730400 +0200");
}

TEST_CASE("random dates are read as git reads them", "[format][date][differential]") {
  constexpr std::array kPieces{"2005", "12",   "7",          "31", "-",   "/",   ".",  ":",
                               " ",    " ",    "T",          "Z",  "Apr", "AM",  "PM", "EST",
                               "+",    "0200", "0",          "45", "08",  "Thu", ",",  "1",
                               "2020", "@",    "1112911993", "99", "x"};
  std::mt19937 random(4711);
  std::vector<std::string> dates;
  for (int i = 0; i < 400; ++i) {
    std::string text = random() % 2 == 0 ? "2005-04-07 10:11:12 " : "";
    for (std::size_t pieces = 1 + random() % 12; pieces > 0; --pieces) {
      text += kPieces.at(random() % kPieces.size());
    }
    dates.push_back(text);
  }
  compare_dates(dates);
}

TEST_CASE("messages are cleaned as git cleans them", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string message :
       {"one\n", "one", "", "\n\n", "  \n\t\none  \n\n\n\ntwo\t\r\n", "# c\none\n# c\ntwo\n#",
        "one\n\n# c\n\ntwo\n", " # no\n", "a\n# ------------------------ >8 ----------------\nb\n",
        "a\v\n\f\nb\n", "\n one\n", "#\n#\n"}) {
    INFO("message '" << message << "'");
    const wafers::test::RunOptions input{.cwd = {}, .environment = {}, .input = message};
    CHECK(clean_message(message, Cleanup::whitespace) == repo.git({"stripspace"}, input));
    CHECK(clean_message(message, Cleanup::strip) == repo.git({"stripspace", "-s"}, input));
    for (const auto& [word, cleanup] :
         {std::pair("verbatim", Cleanup::verbatim), std::pair("whitespace", Cleanup::whitespace),
          std::pair("strip", Cleanup::strip), std::pair("scissors", Cleanup::scissors)}) {
      repo.git({"commit", "-q", "--allow-empty", "--allow-empty-message", "-F", "-",
                std::string("--cleanup=") + word},
               input);
      const std::string commit = repo.git({"cat-file", "commit", "HEAD"});
      CHECK(clean_message(message, cleanup) == commit.substr(commit.find("\n\n") + 2));
    }
  }
  CHECK(clean_message("; x\ny\n", Cleanup::strip, ';') == "y\n");
}

TEST_CASE("the subject is the first paragraph", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string message : {"one\n", "one\ntwo  \n\nthree\n", "\n \n  one\n two\n\t\nx", "",
                                    "\n", "a\r\nb\r\n\r\nc\r\n"}) {
    repo.git(
        {"commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-"},
        {.cwd = {}, .environment = {}, .input = message});
    CHECK(subject_of(message) + "\n" == repo.git({"log", "-1", "--format=%s"}));
  }
}

TEST_CASE("names that git refuses in a path", "[format]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  const std::string blob = lines_of(repo.git({"hash-object", "-w", "--stdin"})).front();
  const std::vector<std::string> names{".",
                                       "..",
                                       "...",
                                       ".git",
                                       ".GIT",
                                       ".giT",
                                       "git",
                                       ".gitx",
                                       ".git.",
                                       ".git ",
                                       ".git . .",
                                       ".git::$INDEX_ALLOCATION",
                                       ".git:x",
                                       ".git x",
                                       "git~1",
                                       "GIT~1",
                                       "git~1.",
                                       "git~1:a",
                                       "git~2",
                                       "git~10",
                                       "a\\.git",
                                       "a\\.git\\b",
                                       "a\\git~1 ",
                                       "\\.git",
                                       "\\\\.git",
                                       ".git\\x",
                                       "a\\b",
                                       ".gi\xE2\x80\x8Ct",
                                       "\xE2\x80\x8D.git",
                                       ".git\xEF\xBB\xBF",
                                       ".g\xE2\x81\xAFit",
                                       ".git\xFF",
                                       ".g\xFFit",
                                       ".\xE2\x80\xAAgit\xE2\x80\xAE",
                                       ".git\xE2\x80\xB0",
                                       ".g\xC4\xB1t",
                                       ".gitmodules",
                                       ".GITmodules",
                                       ".gitmodules ",
                                       ".gitmodules.",
                                       ".gitmodules:x",
                                       "gitmod~1",
                                       "GITMOD~4",
                                       "gitmod~5",
                                       "gitmod~1 ",
                                       "gi7eba~1",
                                       "gi7eba~9",
                                       "gi7eb~01",
                                       "gi7eb~10",
                                       "GI7E~123",
                                       "gi7e~1234",
                                       "~1000000",
                                       "~9999999",
                                       "~99999990",
                                       "gi7eba~1x",
                                       ".gitmodul\xE2\x80\x8C"
                                       "es",
                                       "a\\.gitmodules",
                                       ".gitmodules\\x",
                                       ".gitattributes",
                                       ".gitignore"};
  for (const std::string& name : names) {
    for (const PathProtection protection :
         {PathProtection{.hfs = false, .ntfs = false}, PathProtection{.hfs = true, .ntfs = false},
          PathProtection{.hfs = false, .ntfs = true}}) {
      for (const std::string mode : {"100644", "120000"}) {
        const auto result =
            repo.try_git({"-c", std::string("core.protectHFS=") + (protection.hfs ? "1" : "0"),
                          "-c", std::string("core.protectNTFS=") + (protection.ntfs ? "1" : "0"),
                          "update-index", "--add", "--cacheinfo", mode + "," + blob + "," + name});
        INFO("'" << name << "' mode " << mode << " hfs " << protection.hfs << " ntfs "
                 << protection.ntfs);
        const bool refused = is_forbidden_component(name, protection) ||
                             (mode == "120000" && is_forbidden_symlink(name, protection));
        CHECK(refused == !result.ok());
      }
    }
  }
  CHECK(is_forbidden_component("", {}));
}
