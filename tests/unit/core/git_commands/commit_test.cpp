#include "core/git_commands/commit.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/scope_guard.h"
#include "core/git_commands/wafer_git.h"
#include "git/index/index_file.h"
#include "hand_made_view.h"
#include "support/catch.h"
#include "support/run.h"

namespace fs = std::filesystem;
using wafers::CommitRequest;
using wafers::CommitResult;
using wafers::Error;
using wafers::ErrorKind;
using wafers::test::GitRepo;
using wafers::test::HandMadeView;

namespace {

const char* const kFiles = "mkdir d; echo a > a; echo b > b; echo c > d/c";

CommitRequest with_paths(std::vector<std::string> paths) {
  CommitRequest request;
  request.messages = {"test"};
  request.paths = std::move(paths);
  return request;
}

/// The error of a commit that must fail and change nothing: neither ref, reflog nor index.
Error refusal(HandMadeView& view, const CommitRequest& request) {
  const auto state = [&] {
    return view.base().git({"for-each-ref"}) + view.base().git({"reflog", "wafers/test"}) +
           (fs::exists(view.wafer().index()) ? "index" : "");
  };
  const std::string before = state();
  try {
    commit_view(view.wafer(), request,
                [](const std::string&) { FAIL("the branch was about to be moved"); });
  } catch (const Error& error) {
    CHECK(state() == before);
    return error;
  }
  throw std::runtime_error("the commit did not fail");
}

/// All of a commit: two of the same content have the same.
std::string raw_commit(const GitRepo& repo, const std::string& commit) {
  return repo.git({"cat-file", "commit", commit});
}

/// The same commit made by git in the copy.
std::string git_commit_raw(const HandMadeView& view, const std::vector<std::string>& arguments) {
  view.copy().git({"add", "-A"});
  std::vector<std::string> command{"commit", "-q"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  view.copy().git(command);
  return raw_commit(view.copy(), "HEAD");
}

}  // namespace

TEST_CASE("a commit is the one that git makes", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.write("n", "new\n");
  view.remove("d");
  const CommitResult result = view.commit("A subject");
  CHECK(raw_commit(view.base(), result.commit) == git_commit_raw(view, {"-m", "A subject"}));
  CHECK(result.commit == view.base().git_line({"rev-parse", "wafers/test"}));
  CHECK(result.tree == view.base().git_line({"rev-parse", "wafers/test^{tree}"}));
  CHECK(result.parent == view.base().head());
  CHECK(result.short_id == view.base().git_line({"rev-parse", "--short", "wafers/test"}));
  CHECK(result.branch == "wafers/test");
  CHECK(result.subject == "A subject");
  CHECK(result.files_changed == 3);
  CHECK(result.summary == view.base()
                              .git({"diff", "--shortstat", "main", "wafers/test"})
                              .substr(0, result.summary.size()));
  CHECK(view.base().git_line({"reflog", "-1", "--format=%gs", "wafers/test"}) ==
        "commit: A subject");
  CHECK(view.base().git({"status", "--porcelain"}).empty());
  CHECK(view.base().git({"fsck", "--strict"}).empty());
}

TEST_CASE("a commit tells of the new tip before the branch moves", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  std::string told;
  const CommitResult result =
      commit_view(view.wafer(), with_paths({}), [&](const std::string& commit) {
        told = commit;
        CHECK(view.base().git_line({"rev-parse", "wafers/test"}) == view.wafer().last_commit);
        CHECK(view.base().git_line({"cat-file", "-t", commit}) == "commit");
      });
  CHECK(told == result.commit);
}

TEST_CASE("a branch that was moved outside refuses the commit", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.base().git({"branch", "-f", "wafers/test",
                   view.base().git_line({"commit-tree", "-m", "x", "-p", "main", "main^{tree}"})});
  const Error error = refusal(view, with_paths({}));
  CHECK(error.kind() == ErrorKind::refused);
  CHECK(error.message().find("was moved from") != std::string::npos);
  CHECK(error.hint().find("branch wafers/test-outside wafers/test && ") != std::string::npos);
  CHECK(error.hint().find("branch -f wafers/test " + view.wafer().last_commit) !=
        std::string::npos);
}

TEST_CASE("a branch that moves while the commit is made refuses it", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  const std::string other =
      view.base().git_line({"commit-tree", "-m", "x", "-p", "main", "main^{tree}"});
  try {
    commit_view(view.wafer(), with_paths({}), [&](const std::string&) {
      view.base().git({"branch", "-f", "wafers/test", other});
    });
    FAIL("the commit did not fail");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
  }
  CHECK(view.base().git_line({"rev-parse", "wafers/test"}) == other);
  CHECK_FALSE(fs::exists(view.wafer().index()));
}

TEST_CASE("a branch that is gone", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.base().git({"branch", "-q", "-D", "wafers/test"});
  try {
    view.commit();
    FAIL("the commit did not fail");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::failed);
    CHECK(error.hint().find("branch wafers/test " + view.wafer().last_commit) != std::string::npos);
  }
}

TEST_CASE("a commit that was cut off", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "first\n");
  struct CutOff {};
  std::string pending;
  SECTION("before the branch moved") {
    CHECK_THROWS_AS(commit_view(view.wafer(), with_paths({}),
                                [&](const std::string& commit) {
                                  pending = commit;
                                  throw CutOff{};
                                }),
                    CutOff);
    view.wafer().pending_commit = pending;
    CHECK(view.base().git_line({"rev-parse", "wafers/test"}) == view.base().head());
    CHECK(view.status() == " M a\n");
    CHECK(view.commit().parent == view.base().head());
  }
  SECTION("after the branch moved") {
    const CommitResult first = commit_view(view.wafer(), with_paths({}), [](const auto&) {});
    view.wafer().pending_commit = first.commit;  // and last_commit is the old one still
    CHECK(view.status().empty());
    view.write("b", "second\n");
    CHECK(view.status() == " M b\n");
    CHECK(view.commit().parent == first.commit);
  }
  SECTION("and then somebody else moved the branch") {
    const CommitResult first = commit_view(view.wafer(), with_paths({}), [](const auto&) {});
    view.wafer().pending_commit = first.commit;
    view.base().git(
        {"branch", "-f", "wafers/test",
         view.base().git_line({"commit-tree", "-m", "x", "-p", first.commit, "main^{tree}"})});
    CHECK(refusal(view, with_paths({})).kind() == ErrorKind::refused);
  }
}

TEST_CASE("messages are cleaned up as git does", "[commit]") {
  const std::vector<std::string> messages = {
      "plain",
      "plain\n",
      "\n\n  leading blank lines\n\n\n\nand inner ones  \t\n\n\n",
      "subject\n# a comment\n  # no comment\nbody",
      "subject  \n\n# ------------------------ >8 ------------------------\ncut off\n",
      "tabs\t\nand blanks   \n",
      "no newline at the end\n\nbody   ",
      "umlauts äöü",
      "\r\nDOS line\r\n\r\nends\r\n",
  };
  for (const char* mode : {"default", "whitespace", "strip", "verbatim", "scissors"}) {
    HandMadeView view(kFiles);
    view.configure("commit.cleanup", mode);
    int count = 0;
    for (const std::string& message : messages) {
      INFO(mode);
      INFO(message);
      view.write("a", std::to_string(++count) + "\n");
      const fs::path file = view.scratch() / "message";
      wafers::test::write_file(file, message);
      CommitRequest request;
      request.message_file = file;
      const std::string expected = git_commit_raw(view, {"-F", file.native()});
      CHECK(raw_commit(view.base(), view.commit(request).commit) == expected);
    }
  }
}

TEST_CASE("messages from the command line are paragraphs", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  CommitRequest request;
  request.messages = {"subject", "first\nparagraph\n", "", "second"};
  const std::string expected =
      git_commit_raw(view, {"-m", "subject", "-m", "first\nparagraph\n", "-m", "", "-m", "second"});
  CHECK(raw_commit(view.base(), view.commit(request).commit) == expected);
}

TEST_CASE("the comment character is the configured one", "[commit]") {
  HandMadeView view(kFiles);
  view.configure("commit.cleanup", "strip");
  view.configure("core.commentChar", ";");
  view.write("a", "changed\n");
  const std::string message = "subject\n; a comment\n# none\n";
  const std::string expected = git_commit_raw(view, {"-m", message});
  CHECK(raw_commit(view.base(), view.commit(message).commit) == expected);
}

TEST_CASE("messages that git doesn't take", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  const auto kind_of = [&](const std::string& message) {
    CommitRequest request;
    request.messages = {message};
    return refusal(view, request).kind();
  };
  CHECK(kind_of("") == ErrorKind::failed);
  CHECK(kind_of(" \n\t\n") == ErrorKind::failed);
  CHECK(kind_of("Signed-off-by: A <a@b>\n") == ErrorKind::failed);
  CHECK(kind_of(std::string("a\0b", 3)) == ErrorKind::failed);
  CommitRequest none;
  CHECK(refusal(view, none).kind() == ErrorKind::usage);
  CommitRequest both;
  both.messages = {"m"};
  both.message_file = view.scratch() / "message";
  CHECK(refusal(view, both).kind() == ErrorKind::usage);
  CommitRequest missing;
  missing.message_file = view.scratch() / "nowhere";
  CHECK(refusal(view, missing).kind() == ErrorKind::failed);
  view.configure("commit.cleanup", "nonsense");
  CHECK(kind_of("fine") == ErrorKind::failed);
}

TEST_CASE("authors and encodings are recorded as git does", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  CommitRequest request;
  request.messages = {"subject"};
  SECTION("another author") {
    request.author = "Some One <one@example.com>";
    const auto expected = git_commit_raw(view, {"-m", "subject", "--author", *request.author});
    CHECK(raw_commit(view.base(), view.commit(request).commit) == expected);
  }
  SECTION("an author that is none") {
    request.author = "nobody";
    CHECK(refusal(view, request).kind() == ErrorKind::usage);
  }
  SECTION("i18n.commitEncoding") {
    view.configure("i18n.commitEncoding", "ISO-8859-1");
    request.messages = {"latin \344"};
    const auto expected = git_commit_raw(view, {"-m", "latin \344"});
    const CommitResult result = view.commit(request);
    CHECK(raw_commit(view.base(), result.commit) == expected);
    CHECK(result.warnings.empty());
  }
  SECTION("i18n.commitEncoding is UTF-8") {
    view.configure("i18n.commitEncoding", "UTF-8");
    const auto expected = git_commit_raw(view, {"-m", "subject"});
    CHECK(raw_commit(view.base(), view.commit(request).commit) == expected);
  }
  SECTION("no UTF-8 at all") {
    request.messages = {"latin \344"};
    const auto expected = git_commit_raw(view, {"-m", "latin \344"});
    const CommitResult result = view.commit(request);
    CHECK(raw_commit(view.base(), result.commit) == expected);
    REQUIRE(result.warnings.size() == 1);
    CHECK(result.warnings.front().find("did not conform to UTF-8") != std::string::npos);
  }
}

TEST_CASE("nothing to commit is a failure, unless an empty commit was asked for", "[commit]") {
  HandMadeView view(kFiles);
  CHECK(refusal(view, with_paths({})).message() == "nothing to commit, working tree clean");
  view.write("a", "a\n");  // in the upper, and unchanged
  CHECK(refusal(view, with_paths({})).kind() == ErrorKind::failed);
  view.write("b", "changed\n");
  CHECK(refusal(view, with_paths({"a"})).message() == "nothing to commit in the given paths");
  view.write("b", "b\n");

  CommitRequest request = with_paths({});
  request.allow_empty = true;
  const CommitResult result = view.commit(request);
  CHECK(result.tree == view.base().head_tree());
  CHECK(result.commit == view.base().git_line({"rev-parse", "wafers/test"}));
  CHECK(result.files_changed == 0);
}

TEST_CASE("paths that can't be committed are wrong usage", "[commit]") {
  HandMadeView view("mkdir d; echo a > a; echo c > d/c; echo '*.o' > .gitignore");
  view.write("a", "changed\n");
  view.write("x.o", "ignored\n");
  view.make_directory("empty");
  const auto message_of = [&](const std::string& path) {
    const Error error = refusal(view, with_paths({"a", path}));
    CHECK(error.kind() == ErrorKind::usage);
    return error.message();
  };
  CHECK(message_of("/etc/passwd") == "path '/etc/passwd' is absolute");
  CHECK(message_of("../a") == "path '../a' leads out of the wafer");
  CHECK(message_of("d/../../a") == "path 'd/../../a' leads out of the wafer");
  CHECK(message_of("d/../a") == "path 'd/../a' leads out of the wafer");
  CHECK(message_of("") == "path '' is empty");
  CHECK(message_of("nowhere") == "path 'nowhere' did not match any files");
  CHECK(message_of("d/nowhere") == "path 'd/nowhere' did not match any files");
  CHECK(message_of("a/b") == "path 'a/b' did not match any files");
  CHECK(message_of("*") == "path '*' did not match any files");  // literal, not a pattern
  CHECK(message_of(".git") == "path '.git' did not match any files");
  CHECK(message_of(".git/config") == "path '.git/config' did not match any files");
  CHECK(message_of("x.o") == "path 'x.o' is ignored");
}

TEST_CASE("paths in a repository of its own are nothing to commit, and no mistake", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.write("own/.git/HEAD", "ref: refs/heads/main\n");
  view.write("own/.git/objects/x", "");
  view.write("own/.git/refs/x", "");
  view.write("own/dir/file", "x\n");
  const CommitResult result = view.commit(with_paths({"a", "own/dir/file", "own/dir/"}));
  CHECK(result.files_changed == 1);
  CHECK(view.git_show(result.commit + ":a") == "changed\n");
  view.write("a", "changed again\n");
  for (const char* path : {"own/none", "own/dir/none", "own/dir/file/", "own/dir/file/x"}) {
    CHECK(refusal(view, with_paths({"a", path})).message() ==
          "path '" + std::string(path) + "' did not match any files");
  }
}

TEST_CASE("paths are taken in any normal form", "[commit]") {
  for (const char* path : {"d", "d/", "./d", "d/.", "d//", ".//d/./"}) {
    HandMadeView view(kFiles);
    view.write("a", "not committed\n");
    view.write("d/c", "committed\n");
    INFO(path);
    const CommitResult result = view.commit(with_paths({path}));
    CHECK(view.git_show(result.commit + ":d/c") == "committed\n");
    CHECK(view.git_show(result.commit + ":a") == "a\n");
    CHECK(view.status() == " M a\n");
  }
}

TEST_CASE("git can read the private index", "[commit]") {
  HandMadeView view("mkdir -p d/e; echo a > a; echo b > d/b; echo c > d/e/c; ln -s a l");
  view.write("a", "changed\n");
  view.write("d/n", "new\n");
  view.make_executable("d/n");
  view.remove("l");
  const CommitResult result = view.commit();
  const std::string index = "GIT_INDEX_FILE=" + view.wafer().index().native();
  const auto entries = view.base().git({"ls-files", "-s"}, {.environment = {index}});
  view.git_commit();
  CHECK(entries == view.copy().git({"ls-files", "-s"}));
  CHECK(view.base().git({"write-tree"}, {.environment = {index}}) == result.tree + "\n");
  CHECK(view.base().git({"diff-index", "--cached", result.tree}, {.environment = {index}}).empty());
  CHECK(view.base().git({"diff-index", "--cached", "--name-only", "main"},
                        {.environment = {index}}) == "a\nd/n\nl\n");
}

TEST_CASE("GIT_DIR and the like mean other repositories, and aren't heeded", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  CommitResult result;
  {
    const std::pair<const char*, std::string> settings[] = {
        {"GIT_DIR", "/nowhere"},
        {"GIT_WORK_TREE", view.scratch() / "nowhere"},
        {"GIT_INDEX_FILE", view.scratch() / "nowhere/index"},
        {"GIT_OBJECT_DIRECTORY", view.scratch() / "nowhere/objects"},
        {"GIT_COMMON_DIR", "/nowhere"},
        {"GIT_NAMESPACE", "other"},
    };
    for (const auto& [key, value] : settings) ::setenv(key, value.c_str(), 1);
    const wafers::ScopeGuard unset([&] {
      for (const auto& [key, value] : settings) ::unsetenv(key);
    });
    CHECK(view.status() == " M a\n");
    result = view.commit();
  }
  CHECK(view.base().git_line({"rev-parse", "wafers/test"}) == result.commit);
  CHECK(view.base().git({"fsck", "--strict"}).empty());
  CHECK_FALSE(fs::exists(view.scratch() / "nowhere"));
}

TEST_CASE("several commits in a row", "[commit]") {
  HandMadeView view(kFiles);
  const std::vector<std::pair<std::string, std::string>> rounds = {
      {"a", "1\n"}, {"d/c", "2\n"}, {"d/e/new", "3\n"}, {"a", "a\n"}, {"a", "1\n"}};
  for (const auto& [path, content] : rounds) {
    view.write(path, content);
    CHECK(view.status() == view.git_status());
    const CommitResult result = view.commit();
    CHECK(result.tree == view.git_commit());
    CHECK(view.status().empty());
  }
  view.remove("d");
  CHECK(view.commit().tree == view.git_commit());
  view.write("d/c", "again\n");
  CHECK(view.commit().tree == view.git_commit());
  CHECK(view.base().git({"fsck", "--strict"}).empty());
}

TEST_CASE("a commit of other paths keeps what is known of files", "[commit]") {
  HandMadeView view(kFiles);
  view.write("d/c", "committed\n");
  view.commit();
  view.write("a", "committed alone\n");
  view.commit(with_paths({"a"}));
  const auto index = wafers::git::IndexFile::read(view.wafer().index());
  const wafers::git::IndexEntry* entry = index->find("d/c");
  REQUIRE(entry != nullptr);
  CHECK(entry->stat.size == 10);
}

TEST_CASE("a damaged private index costs time only", "[commit]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.commit();
  wafers::test::write_file(view.wafer().index(), "DIRC garbage");
  CHECK(view.status().empty());
  view.write("b", "changed\n");
  CHECK(view.commit().tree == view.git_commit());
}
