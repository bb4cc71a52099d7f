// Messages and authors against git, where settings and history decide.

#include "core/git_commands/commit_message.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "hand_made_view.h"
#include "support/catch.h"

using wafers::CommitRequest;
using wafers::CommitResult;
using wafers::Error;
using wafers::ErrorKind;
using wafers::test::HandMadeView;
using Words = std::vector<std::string>;

namespace {

/// The same commit by wafers and by git in the copy; both objects, byte by byte.
struct Twins {
  CommitResult result;
  std::string ours, git;
};

Twins commit_twice(HandMadeView& view, const CommitRequest& request) {
  Words arguments{"commit", "-q", "--allow-empty"};
  for (const std::string& message : request.messages) {
    arguments.insert(arguments.end(), {"-m", message});
  }
  if (request.author) arguments.push_back("--author=" + *request.author);
  view.copy().git(arguments);
  Twins twins;
  CommitRequest ours = request;
  ours.allow_empty = true;
  twins.result = view.commit(ours);
  twins.ours = view.base().git({"cat-file", "commit", twins.result.commit});
  twins.git = view.copy().git({"cat-file", "commit", "HEAD"});
  return twins;
}

CommitRequest with_message(const std::string& message) {
  CommitRequest request;
  request.messages = {message};
  return request;
}

}  // namespace

TEST_CASE("each -m ends its last line, and no more", "[message]") {
  HandMadeView view("echo a > a");
  view.configure("commit.cleanup", "verbatim");
  for (const Words& messages : std::vector<Words>{{"a"},
                                                  {"a\n"},
                                                  {"a\n\n", "b"},
                                                  {"a", "", "b"},
                                                  {"", "b"},
                                                  {" "},
                                                  {"Signed-off-by: A <a@b>"},
                                                  {"a", "# b"}}) {
    CommitRequest request;
    request.messages = messages;
    const Twins twins = commit_twice(view, request);
    CHECK(twins.ours == twins.git);
  }
}

TEST_CASE("core.commentChar=auto takes a character that begins no line", "[message]") {
  HandMadeView view("echo a > a");
  view.configure("commit.cleanup", "strip");
  view.configure("core.commentChar", "auto");
  for (const char* message : {"subject\n\n# not a comment", "# first\nsecond", "a\n#b\n;c\n@d",
                              "a # b", "x\n#\n;\n@\n!\n$\n%\n^\n&\n|\n", "\r# x\r; y"}) {
    INFO(message);
    const Twins twins = commit_twice(view, with_message(message));
    CHECK(twins.ours == twins.git);
  }
  const std::string all = "#\n;\n@\n!\n$\n%\n^\n&\n|\n:\n";
  CHECK_FALSE(view.copy().try_git({"commit", "--allow-empty", "-m", all}).ok());
  CommitRequest request = with_message(all);
  request.allow_empty = true;
  CHECK_THROWS_AS(view.commit(request), Error);
  view.configure("core.commentChar", "//");
  CHECK_FALSE(view.copy().try_git({"commit", "--allow-empty", "-m", "x"}).ok());
  request.messages = {"x"};
  CHECK_THROWS_AS(view.commit(request), Error);
}

TEST_CASE("what is no UTF-8 becomes some, as git has it", "[message]") {
  HandMadeView view("echo a > a");
  for (const char* message :
       {"latin \xE4\xF6", "\xC3\xA4 fine", "overlong \xC0\xAF \xE0\x80\xAF",
        "surrogate \xED\xA0\x80", "no character \xEF\xBF\xBE \xEF\xB7\x90 \xF0\x9F\xBF\xBF",
        "too big \xF4\x90\x80\x80 \xF8\x88\x80\x80\x80", "cut off \xE2\x82",
        "fine \xF0\x9F\x98\x80 \xEF\xBF\xBD", "\x80 alone \xFF"}) {
    INFO(message);
    const Twins twins = commit_twice(view, with_message(message));
    CHECK(twins.ours == twins.git);
    const bool fine = std::string(message).find("fine") != std::string::npos;
    CHECK(twins.result.warnings.empty() == fine);
  }
  CommitRequest named = with_message("x");
  named.author = "J\xF6rg <j@example.com>";
  const Twins twins = commit_twice(view, named);
  CHECK(twins.ours == twins.git);
  CHECK(twins.result.warnings.size() == 1);
}

TEST_CASE("encodings by all their names", "[message]") {
  for (const char* encoding : {"utf8", "UTF-8", "Utf-8", "ISO-8859-1", "latin1", "no-such"}) {
    INFO(encoding);
    HandMadeView view("echo a > a");
    view.configure("i18n.commitEncoding", encoding);
    const Twins twins = commit_twice(view, with_message("\xE4 subject"));
    CHECK(twins.ours == twins.git);
  }
}

TEST_CASE("the subject is shown in the encoding of logs", "[message]") {
  HandMadeView view("echo a > a");
  view.configure("i18n.commitEncoding", "ISO-8859-1");
  CHECK(commit_twice(view, with_message("\xE4")).result.subject == "\xE4");
  view.configure("i18n.logOutputEncoding", "UTF-8");
  const Twins twins = commit_twice(view, with_message("\xE4"));
  CHECK(twins.result.subject == "\xC3\xA4");
  CHECK(view.copy().git_line({"log", "-1", "--format=%s"}) == "\xC3\xA4");
}

TEST_CASE("the reflog has the first line", "[message]") {
  HandMadeView view("echo a > a");
  for (const char* message : {"one\ntwo\n\nbody", "one", "  lots   of \t blanks  "}) {
    commit_twice(view, with_message(message));
    CHECK(view.base().git_line({"reflog", "-1", "--format=%gs", "wafers/test"}) ==
          view.copy().git_line({"reflog", "-1", "--format=%gs", "HEAD"}));
  }
}

TEST_CASE("an author by a part of the name", "[message]") {
  HandMadeView view(
      "echo a > a; git add a; git commit -q -m one --author='Ada Lovelace <ada@example.com>';"
      "git commit -q --allow-empty -m two --author='Grace Hopper <grace@old.example.com>';"
      "echo 'Grace B. Hopper <grace@example.com> <grace@old.example.com>' > .mailmap");
  for (const char* author :
       {"ada", "Lovelace", "GRACE", "grace@example", "Ada Lovelace <ada@x.org>"}) {
    INFO(author);
    CommitRequest request = with_message("x");
    request.author = author;
    const Twins twins = commit_twice(view, request);
    CHECK(twins.ours == twins.git);
  }
  CommitRequest request = with_message("x");
  request.allow_empty = true;
  request.author = "Babbage";
  try {
    view.commit(request);
    FAIL("nobody is called Babbage");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.message().find("matches no existing author") != std::string::npos);
  }
}
