#include "git/text/quote.h"

#include <array>
#include <cstdio>
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
using wafers::git::parse_raw_date;
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

/// The same of a date that is read without git, or "" where it is not.
std::string raw_date(const std::string& text) {
  const auto date = parse_raw_date(text);
  if (!date) return {};
  std::array<char, 64> buffer{};
  const int offset = std::abs(date->offset_minutes);
  std::snprintf(buffer.data(), buffer.size(), "%lld %c%02d%02d",
                static_cast<long long>(date->seconds), date->offset_minutes < 0 ? '-' : '+',
                offset / 60, offset % 60);
  return buffer.data();
}

}  // namespace

TEST_CASE("raw dates are read as git reads them", "[format][date]") {
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  for (const std::string text :
       {"@0 +0000", "@1112911993 -0700", "1112911993 -0700", "@99999999999 +0100", "@1 +9999",
        "100000000 +2359", "4102444799 -2359", "@7 -0001", "1112911993 +0000"}) {
    INFO("date '" << text << "'");
    CHECK_FALSE(raw_date(text).empty());
    CHECK(raw_date(text) == date_by_git(repo, text));
  }
}

TEST_CASE("what may be more than a raw date is left to git", "[format][date]") {
  for (const std::string text : {"",
                                 "@",
                                 "@12",
                                 "@1112911993",
                                 "1112911993",
                                 "@1 +01:00",
                                 "@1 +010",
                                 "@1 +01000",
                                 "@1  +0100",
                                 "@1 0100",
                                 "@1 +0100 ",
                                 "@-1 +0000",
                                 " @1 +0000",
                                 "@18446744073709551614 +0000",
                                 "1112911993 +0100 x",
                                 "1112911993 +2400",
                                 "1112911993 +0060",
                                 "1112911993 -0001",
                                 "99999999 +0000",
                                 "4102444800 +0000",
                                 "20050407 +0200",
                                 "2005-04-07 22:13:13 +0200",
                                 "now"}) {
    INFO("date '" << text << "'");
    CHECK(raw_date(text).empty());
  }
}

TEST_CASE("random raw dates are read as git reads them", "[format][date][differential]") {
  const std::array<std::vector<std::string>, 4> pieces{{
      {"@", "", "", "@", "x"},
      {"0", "12", "99999999", "100000000", "1112911993", "4102444799", "4102444800"},
      {" ", " ", " ", "", "  "},
      {"+0200", "-2359", "+9", "-0001", "+0001", "+2400", "+0060", "-9999", "-0000", "0100",
       "+0100 x"},
  }};
  const TempDir directory;
  const GitRepo repo = GitRepo::init(directory.path());
  std::mt19937 random(4711);
  int read = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (const auto& choices : pieces) text += choices.at(random() % choices.size());
    const std::string ours = raw_date(text);
    if (ours.empty()) continue;
    ++read;
    INFO("date '" << text << "'");
    CHECK(ours == date_by_git(repo, text));
  }
  CHECK(read > 50);
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
