#include "core/git_commands/stage.h"

#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/git_commands/prepare.h"
#include "git/diff/diff.h"
#include "hand_made_view.h"
#include "support/catch.h"
#include "support/run.h"
#include "support/small_stack.h"

namespace fs = std::filesystem;
using wafers::CommitRequest;
using wafers::DiffRange;
using wafers::DiffRequest;
using wafers::DiffStyle;
using wafers::Error;
using wafers::ErrorKind;
using wafers::test::HandMadeView;
using Words = std::vector<std::string>;

namespace {

const char* const kBase =
    "mkdir -p d/e; for f in a b c d/x d/y d/e/z; do echo base $f > $f; done;"
    "seq 40 > long; printf '*.o\\n' > .gitignore; ln -s a link; printf '#!/bin/sh\\n' > run";

/// One step, done in the wafer and by git in the copy. The first word says what:
///   sh SCRIPT | PATHS   changes PATHS of both
///   add PATHS           git-add, git add
///   commit [PATHS]      git-commit; git commit, after git add where git-commit does that by itself
struct Case {
  const char* name;
  Words steps;
};

const std::vector<Case> kCases{
    {"a changed file", {"sh echo 2 > a | a", "add a", "commit"}},
    {"a new file", {"sh echo 2 > n | n", "add n", "commit"}},
    {"a deleted file", {"sh rm b | b", "add b", "commit"}},
    {"one of two", {"sh echo 2 > a; echo 2 > b | a b", "add a", "commit", "commit"}},
    {"changed again after it was staged",
     {"sh echo 2 > a | a", "add a", "sh echo 3 > a | a", "commit", "add a", "commit"}},
    {"staged and then deleted", {"sh echo 2 > n | n", "add n", "sh rm n | n", "commit", "commit"}},
    {"staged, deleted, and staged again",
     {"sh echo 2 > a | a", "add a", "sh rm a | a", "add a", "commit"}},
    {"a deletion staged, and the file made anew",
     {"sh rm a | a", "add a", "sh echo new > a | a", "commit", "commit"}},
    {"staged and taken back",
     {"sh echo 2 > a | a", "add a", "sh echo base a > a | a", "add a", "sh echo 2 > b | b",
      "commit"}},
    {"a directory",
     {"sh echo 2 > d/x; rm d/y; echo n > d/e/n; echo 2 > a | d/x d/y d/e/n a", "add d", "commit",
      "commit"}},
    {"a new directory",
     {"sh mkdir -p n/m; echo 1 > n/f; echo 1 > n/m/g | n/f n/m/g", "add n/m", "commit", "commit"}},
    {"a directory that is gone", {"sh rm -r d | d", "add d", "commit"}},
    {"a part of a directory that is gone", {"sh rm -r d | d", "add d/e", "commit", "commit"}},
    {"everything", {"sh echo 2 > a; rm b; echo n > n | a b n", "add .", "commit"}},
    {"a mode", {"sh chmod +x run | run", "add run", "commit"}},
    {"a symlink in place of a file", {"sh rm a; ln -s b a | a", "add a", "commit"}},
    {"a file in place of a symlink", {"sh rm link; echo f > link | link", "add link", "commit"}},
    {"a file in place of a directory",
     {"sh rm -r d; echo f > d | d", "add d", "sh echo 2 > d | d", "commit", "commit"}},
    {"a directory in place of a file",
     {"sh rm a; mkdir a; echo f > a/f | a a/f", "add a", "sh echo g > a/g | a/g", "commit",
      "commit"}},
    {"a rename",
     {"sh mv long other | long other", "add long other", "sh echo x >> other | other", "commit",
      "commit"}},
    {"a rename with a change",
     {"sh mv long d/other; echo 41 >> d/other | long d/other", "add .",
      "sh echo again > long | long", "commit"}},
    {"two additions one after the other",
     {"sh echo 2 > a; echo 2 > b; echo 2 > c | a b c", "add a", "add c", "commit", "commit"}},
    {"other paths while something is staged",
     {"sh echo 2 > a; echo 2 > b; echo 2 > c | a b c", "add a", "commit b", "commit", "commit"}},
    {"the staged path itself, changed meanwhile",
     {"sh echo 2 > a; echo 2 > b | a b", "add a b", "sh echo 3 > a | a", "commit a", "commit"}},
    {"a directory while a part of it is staged",
     {"sh echo 2 > d/x; echo 2 > d/y; echo 2 > a | d/x d/y a", "add d/x a", "commit d", "commit"}},
    {"a part while all of it is staged",
     {"sh echo 2 > d/x; echo 2 > d/y; rm d/e/z | d/x d/y d/e/z", "add d", "commit d/e", "commit"}},
    {"a deletion while something is staged",
     {"sh rm b; echo 2 > a | b a", "add a", "commit b", "commit"}},
    {"a file that was staged as new, by its path",
     {"sh echo 1 > n; echo 1 > m | n m", "add n m", "commit n", "commit"}},
    {"everything by a path while something is staged",
     {"sh echo 2 > a; echo 2 > b | a b", "add a", "commit ."}},
    {"a file below a path that is a file in the tip",
     {"sh rm a; mkdir a; echo f > a/f; echo g > a/g | a a/f a/g", "add a", "commit a/f", "commit"}},
    {"tracked once it is staged, whatever is ignored later",
     {"sh echo 1 > n | n", "add n", "sh echo n >> .gitignore | .gitignore", "commit .gitignore",
      "commit"}},
    {"an ignored file beside it", {"sh echo 1 > x.o; echo 2 > a | x.o a", "add .", "commit"}},
    {"odd names",
     {"sh echo 1 > 'a b'; echo 1 > ' \"q\"'; echo 1 > \"$(printf 'n\\303\\244')\" | "
      "a\\040b",
      "add .", "commit"}},
    {"many rounds",
     {"sh echo 2 > a | a", "add a", "commit", "sh echo 3 > a; echo 2 > b | a b", "add b", "commit",
      "sh rm -r d | d", "add d/e", "commit", "commit"}},
};

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string unescaped(std::string word) {
  const std::size_t at = word.find("\\040");
  if (at != std::string::npos) word.replace(at, 4, " ");
  return word;
}

/// What git reads from the private index: HEAD is the wafer's branch, the worktree the copy.
std::string status_by_private_index(const HandMadeView& view, const fs::path& index) {
  const fs::path git_dir = view.scratch() / "view.git";
  wafers::test::write_file(git_dir / "HEAD", "ref: refs/heads/wafers/test\n");
  wafers::test::write_file(git_dir / "commondir", (view.base() / ".git").native() + "\n");
  return wafers::test::run_ok(
      {"git", "status", "--porcelain"},
      {.cwd = view.copy().path(),
       .environment = {"GIT_DIR=" + git_dir.native(),
                       "GIT_WORK_TREE=" + view.copy().path().native(),
                       "GIT_INDEX_FILE=" + index.native(), "GIT_OPTIONAL_LOCKS=0"},
       .input = {}});
}

/// Tree of all that the copy has, without touching its index.
std::string tree_of_copy(const HandMadeView& view) {
  const fs::path index = view.scratch() / "everything";
  fs::copy_file(view.copy() / ".git/index", index, fs::copy_options::overwrite_existing);
  const wafers::test::RunOptions options{
      .cwd = {}, .environment = {"GIT_INDEX_FILE=" + index.native()}, .input = {}};
  view.copy().git({"add", "-A"}, options);
  return view.copy().git({"write-tree"}, options);
}

class Play {
 public:
  Play() : view_(kBase) {}

  void step(const std::string& text) {
    INFO(text);
    const std::size_t blank = text.find(' ');
    const std::string verb = text.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : text.substr(blank + 1);
    if (verb == "sh") change(rest);
    if (verb == "add") add(words_of(rest));
    if (verb == "commit") commit(words_of(rest));
    CHECK(view_.status() == view_.git_status());
    // Made by git-add, and as long as something is staged.
    if (verb == "add" || !view_.wafer().staged_tree.empty()) {
      CHECK(status_by_private_index(view_, view_.wafer().index()) == view_.git_status());
    }
    check_uncommitted();
  }

 private:
  void change(const std::string& text) {
    const std::size_t bar = text.rfind(" | ");
    Words paths = words_of(text.substr(bar + 3));
    for (std::string& path : paths) path = unescaped(path);
    view_.run_in_copy(text.substr(0, bar), paths);
    for (const auto& entry : fs::directory_iterator(view_.copy().path())) {
      const std::string name = entry.path().filename();
      if (name.find_first_of(" \"\xC3") != std::string::npos) view_.copy_up(name);
    }
  }

  void add(const Words& paths) {
    const auto result = stage_paths(view_.wafer(), {.paths = paths}, [] {});
    Words arguments{"add", "--"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    view_.copy().git(arguments);
    CHECK(result.tree == view_.copy().git_line({"write-tree"}));
  }

  void commit(const Words& paths) {
    CommitRequest request;
    request.messages = {"test"};
    request.paths = paths;
    const auto result = view_.commit(request);
    const bool staged = !view_.copy().try_git({"diff", "--cached", "--quiet"}).ok();
    Words arguments{"--"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    if (paths.empty() && !staged) arguments.emplace_back(".");
    if (arguments.size() > 1) {
      Words added = arguments;
      added.insert(added.begin(), "add");
      view_.copy().git(added);
    }
    arguments.insert(arguments.begin(), {"commit", "-q", "-m", "test"});
    view_.copy().git(arguments);
    CHECK(result.tree == view_.copy().head_tree());
  }

  void check_uncommitted() {
    DiffRequest request;
    request.range = DiffRange::tip_to_view;
    request.style = DiffStyle::name_status;
    const std::string tree = tree_of_copy(view_);
    CHECK(view_.diff(request) ==
          view_.copy().git({"diff", "--name-status", "HEAD", tree.substr(0, 40)}));
  }

  HandMadeView view_;
};

Error staging_refusal(HandMadeView& view, const Words& paths) {
  const std::string staged = view.wafer().staged_tree;
  try {
    stage_paths(view.wafer(), {.paths = paths}, [] {});
  } catch (const Error& error) {
    CHECK(view.wafer().staged_tree == staged);
    CHECK_FALSE(fs::exists(view.wafer().index()));
    return error;
  }
  throw std::runtime_error("nothing was refused");
}

}  // namespace

TEST_CASE("staging is git's, step by step", "[staging]") {
  for (const Case& one : kCases) {
    INFO(one.name);
    Play play;
    for (const std::string& step : one.steps) play.step(step);
  }
}

TEST_CASE("paths that can't be staged", "[staging]") {
  HandMadeView view(kBase);
  view.write("x.o", "ignored");
  view.write("a", "2");
  CHECK(staging_refusal(view, {}).kind() == ErrorKind::usage);
  CHECK(staging_refusal(view, {"none"}).kind() == ErrorKind::usage);
  CHECK(staging_refusal(view, {"a", "none"}).kind() == ErrorKind::usage);
  CHECK(staging_refusal(view, {"../a"}).kind() == ErrorKind::usage);
  CHECK(staging_refusal(view, {"/a"}).kind() == ErrorKind::usage);
  CHECK(staging_refusal(view, {"a", "x.o"}).kind() == ErrorKind::failed);
  stage_paths(view.wafer(), {.paths = {"a"}}, [] {});
  CHECK_FALSE(view.wafer().staged_tree.empty());
}

TEST_CASE("what is staged counts as work", "[staging]") {
  HandMadeView view(kBase);
  view.write("a", "2");
  stage_paths(view.wafer(), {.paths = {"a"}}, [] {});
  view.write("a", "base a\n");
  CHECK(uncommitted_work(view.wafer(), 10).lines == Words{"MM a"});
}

TEST_CASE("a commit that fails leaves staged what was staged", "[staging]") {
  HandMadeView view(kBase);
  view.write("a", "2");
  stage_paths(view.wafer(), {.paths = {"a"}}, [] {});
  const std::string staged = view.wafer().staged_tree;
  CommitRequest request;
  request.messages = {""};
  CHECK_THROWS_AS(view.commit(request), Error);
  CHECK(view.wafer().staged_tree == staged);
  CHECK(view.status() == "M  a\n");
}

TEST_CASE("a commit that was cut off has committed what was staged", "[staging]") {
  HandMadeView view(kBase);
  view.write("a", "2");
  view.write("b", "2");
  stage_paths(view.wafer(), {.paths = {"a", "b"}}, [] {});
  wafers::Wafer before = view.wafer();
  CommitRequest request;
  request.messages = {"test"};
  request.paths = {"a"};
  commit_view(view.wafer(), request, [&](const std::string& commit) {
    before.pending_commit = commit;
    before.pending_staged_tree = view.wafer().pending_staged_tree;
  });
  CHECK(status_of_view(before).lines == Words{"M  b"});
  // Without the note, the wafer would still have the old tip.
  CHECK(status_of_view(view.wafer()).lines != Words{"M  b"});
  CHECK(before.pending_staged_tree == view.wafer().staged_tree);
}

TEST_CASE("what git pruned is no longer staged", "[staging]") {
  HandMadeView view(kBase);
  view.write("a", "2");
  stage_paths(view.wafer(), {.paths = {"a"}}, [] {});
  view.base().git({"prune", "--expire=now"});
  const auto status = status_of_view(view.wafer());
  CHECK(status.lines == Words{" M a"});
  REQUIRE(status.warnings.size() == 1);
  CHECK(status.warnings.front().find("stage it again") != std::string::npos);
  CHECK(view.commit("test").files_changed == 1);
}

TEST_CASE("renames are told where status.renames has them", "[staging]") {
  HandMadeView view(kBase);
  view.configure("status.renames", "false");
  view.run_in_copy("mv long other", {"long", "other"});
  stage_paths(view.wafer(), {.paths = {"long", "other"}}, [] {});
  view.copy().git({"add", "."});
  CHECK(view.status() == view.git_status());
  CHECK(view.status() == "D  long\nA  other\n");
}

TEST_CASE("one path of trees that are nested more deeply than a stack allows") {
  using namespace wafers::git;
  constexpr int kDepth = 5000;
  const HandMadeView view("echo 1 > f");
  const auto objects = Repository::open(view.base().path()).objects(Writes::to_memory);
  const auto nested = [&](const std::string& content) {
    Oid tree = objects->write_tree(
        {{.name = "f", .mode = FileMode::regular, .oid = objects->write_blob(content)}});
    for (int i = 0; i < kDepth; ++i) {
      tree = objects->write_tree({{.name = "d", .mode = FileMode::tree, .oid = tree}});
    }
    return tree;
  };
  std::string path;
  for (int i = 0; i < kDepth; ++i) path += "d/";
  const Oid before = nested("1");
  const Oid after = nested("2");
  wafers::test::on_small_stack([&] {
    CHECK(wafers::tree_with_paths_of(*objects, before, after, {path + "f"}) == after);
    CHECK(wafers::tree_with_paths_of(*objects, before, after, {path + "other"}) == before);
    CHECK(wafers::tree_with_paths_of(*objects, objects->write_tree({}), after, {path + "f"}) ==
          after);
    CHECK(wafers::tree_with_paths_of(*objects, before, objects->write_tree({}), {path + "f"}) ==
          objects->write_tree({}));
  });
}
