// Every kind of bad input: its exit status, its message word by word, and that nothing has changed.

#include <functional>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

/// `err` is all of stderr, with "{top}" for the temporary directory.
struct Case {
  Words arguments;
  int status;
  std::string err;
};

void check(const World& world, const Case& wanted, const RunOptions& options = {}) {
  std::string command = "wafers";
  for (const std::string& word : wanted.arguments) command += " " + word;
  INFO(command);
  const std::string before = world.everything();
  const RunResult result = world.wafers(wanted.arguments, options);
  CHECK(result.status == wanted.status);
  CHECK(result.out.empty());
  CHECK(world.shortened(result.err) == wanted.err);
  CHECK(world.everything() == before);
}

const char* const kNameHint =
    "hint: a name is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit\n";
const char* const kListHint = "hint: 'wafers ls' lists the wafers that there are\n";

std::string see_help(const std::string& command) {
  return "hint: see 'wafers help " + command + "'\n";
}

TEST_CASE("wrong usage") {
  const World world;
  const std::vector<Case> cases{
      {{}, 2, "wafers: which command?\nhint: see 'wafers help'\n"},
      {{"frob"}, 2, "wafers: unknown command 'frob'\nhint: see 'wafers help'\n"},
      {{"--frob"}, 2, "wafers: unknown option '--frob'\nhint: see 'wafers help'\n"},
      {{"a\x1B[31m\n"}, 2, "wafers: unknown command 'a\\033[31m\\n'\nhint: see 'wafers help'\n"},
      {{"help", "frob"}, 2, "wafers: help: unknown command 'frob'\n" + see_help("help")},
      {{"add"}, 2, "wafers: add: the name of a wafer is missing\n" + see_help("add")},
      {{"add", "a", "--frob"}, 2, "wafers: add: unknown option '--frob'\n" + see_help("add")},
      {{"add", "a", "--at"},
       2,
       "wafers: add: --at: 1 required <mountpoint> missing\n" + see_help("add")},
      {{"add", "a", "--at", ""}, 2, "wafers: --at is empty\n"},
      {{"add", "a", "--branch", ""}, 2, "wafers: --branch is empty\n"},
      {{"add", "a", "--from", ""}, 2, "wafers: add: --from is empty\n" + see_help("add")},
      {{"add", "a b"}, 2, std::string("wafers: invalid wafer name 'a b'\n") + kNameHint},
      {{"add", "--", "-a"}, 2, std::string("wafers: invalid wafer name '-a'\n") + kNameHint},
      {{"add", "../a"}, 2, std::string("wafers: invalid wafer name '../a'\n") + kNameHint},
      {{"add", "[a]"}, 2, std::string("wafers: invalid wafer name '[a]'\n") + kNameHint},
      {{"add", "a", "b", "a"}, 2, "wafers: wafer name 'a' is given twice\n"},
      {{"add", "a", "b", "--at", "/views"},
       2,
       "wafers: --at must contain {name} where several wafers are added\n"},
      {{"add", "a", "b", "--branch", "work"},
       2,
       "wafers: --branch must contain {name} where several wafers are added\n"},
      {{"add", "a", "--branch", "a..b"}, 2, "wafers: invalid branch name 'a..b'\n"},
      {{"add", "a", "--branch", "-x"}, 2, "wafers: invalid branch name '-x'\n"},
      {{"add", "a", "--backend", "floppy"},
       2,
       "wafers: add: unknown backend 'floppy': it is one of auto, namespace, host and fuse\n" +
           see_help("add")},
      {{"ls", "a"}, 2, "wafers: ls: unexpected argument 'a'\n" + see_help("ls")},
      {{"mount"}, 2, "wafers: mount: the name of a wafer is missing\n" + see_help("mount")},
      {{"umount"}, 2, "wafers: umount: the name of a wafer is missing\n" + see_help("umount")},
      {{"rm"}, 2, "wafers: rm: the name of a wafer is missing\n" + see_help("rm")},
      {{"rm", "--all", "a"},
       2,
       "wafers: rm: --all and names exclude each other\n" + see_help("rm")},
      {{"git-status"},
       2,
       "wafers: git-status: the name of a wafer is missing\n" + see_help("git-status")},
      {{"git-status", "a", "b"},
       2,
       "wafers: git-status: unexpected argument 'b'\n" + see_help("git-status")},
      {{"git-diff", "a", "--all", "--uncommitted"},
       2,
       "wafers: git-diff: --uncommitted and --all exclude each other\n" + see_help("git-diff")},
      {{"git-diff", "a", "--stat", "--name-only"},
       2,
       "wafers: git-diff: --stat and --name-only exclude each other\n" + see_help("git-diff")},
      {{"git-diff", "a", "--color", "pink"},
       2,
       "wafers: git-diff: --color wants auto, always or never, not 'pink'\n" +
           see_help("git-diff")},
      {{"git-commit", "a"},
       2,
       "wafers: git-commit: the message is missing: give it with -m or -F\n" +
           see_help("git-commit")},
      {{"git-commit", "a", "-m", "x", "-F", "y"},
       2,
       "wafers: git-commit: -m and -F exclude each other\n" + see_help("git-commit")},
  };
  for (const Case& wanted : cases) check(world, wanted);
}

TEST_CASE("exec and shell have exit statuses of their own") {
  const World world;
  const std::string exec_hint = see_help("exec");
  const std::vector<Case> cases{
      {{"exec"}, 125, "wafers: exec: the name of a wafer is missing\n" + exec_hint},
      {{"exec", "a"},
       125,
       "wafers: exec: the command to run is missing: it stands behind '--'\n" + exec_hint},
      {{"exec", "a", "--"},
       125,
       "wafers: exec: the command to run is missing: it stands behind '--'\n" + exec_hint},
      {{"exec", "a", "ls"},
       125,
       "wafers: exec: unexpected argument 'ls': a command to run stands behind '--'\n" + exec_hint},
      {{"exec", "a", "--env", "=x", "--", "true"},
       125,
       "wafers: exec: --env wants K=V, not '=x'\n" + exec_hint},
      {{"exec", "none", "--", "true"},
       125,
       std::string("wafers: there is no wafer 'none'\n") + kListHint},
      {{"shell", "none"}, 125, std::string("wafers: there is no wafer 'none'\n") + kListHint},
  };
  for (const Case& wanted : cases) check(world, wanted);
}

TEST_CASE("wafers that there are not") {
  const World world;
  const std::string err = std::string("wafers: there is no wafer 'none'\n") + kListHint;
  for (const Words& arguments :
       {Words{"mount", "none"}, Words{"umount", "none"}, Words{"rm", "none"},
        Words{"git-status", "none"}, Words{"git-diff", "none"},
        Words{"git-commit", "none", "-m", "x"}}) {
    check(world, {arguments, 1, err});
  }
  check(world,
        {{"rm", "../base"}, 1, std::string("wafers: there is no wafer '../base'\n") + kListHint});
}

TEST_CASE("failures are JSON too where JSON is asked for") {
  const World world;
  const auto usage = world.json({"add", "--frob"});
  CHECK(usage["error"]["kind"] == "usage");
  CHECK(usage["error"]["message"] == "add: unknown option '--frob'");
  CHECK(usage["error"]["hint"] == "see 'wafers help add'");
  CHECK(world.wafers({"add", "--frob", "--json"}).status == 2);
  CHECK(world.wafers({"add", "--frob", "--json"}).err.empty());
  CHECK(world.json({"git-status", "none"})["error"]["kind"] == "failed");
  CHECK(world.json({"rm", "none"})["error"]["kind"] == "failed");
  world.base().write("README", "dirty\n");
  CHECK(world.json({"add", "a"})["error"]["kind"] == "refused");
}

TEST_CASE("a base that can't be one") {
  const World world;
  std::filesystem::create_directory(world / "plain");
  const auto from = [&](const char* where) { return (world / where).native(); };
  const RunResult none = world.wafers({"add", "a", "--from", from("plain")});
  CHECK(none.status == 1);
  CHECK(none.err.find("not a git repository") != std::string::npos);

  GitRepo::init(world / "unborn");
  check(world, {{"add", "a", "--from", from("unborn")},
                1,
                "wafers: repository '{top}/unborn' has no commit yet that a wafer could be based "
                "on\nhint: make a first commit\n"});
  world.base().git({"init", "-q", "--bare", from("bare")});
  CHECK(world.wafers({"add", "a", "--from", from("bare")}).status == 1);
  world.base().git({"init", "-q", "--object-format=sha256", from("sha256")});
  const std::string before = world.everything();
  const RunResult sha256 = world.wafers({"add", "a", "--from", from("sha256")});
  CHECK(sha256.status == 5);
  CHECK(world.shortened(sha256.err) ==
        "wafers: the repository '{top}/sha256/.git' names its objects with sha256; wafers works "
        "with SHA-1 repositories only\n");
  CHECK(world.everything() == before);
}

TEST_CASE("a base that is not clean") {
  const World world;
  world.base().write("README", "changed\n");
  world.base().write("new\nfile", "new\n");
  check(world, {{"add", "a"},
                3,
                "wafers: the base '{top}/base' is not clean:\n   M README\n  ?? \"new\\nfile\"\n"
                "hint: commit or stash the changes, or say --assume-clean to have them in the view "
                "as if they were part of " +
                    world.base().git_line({"rev-parse", "--short", "HEAD"}) + "\n"});
}

TEST_CASE("a state directory in the wrong place") {
  const World world;
  const std::string state = (world / "base/state").native();
  check(world,
        {{"add", "a"},
         3,
         "wafers: the state directory '{top}/base/state' lies inside the base '{top}/base'\n"
         "hint: set WAFERS_STATE_DIR to a directory outside of it\n"},
        {.cwd = {}, .environment = {"WAFERS_STATE_DIR=" + state}, .input = {}});
  check(world,
        {{"add", "a"},
         3,
         "wafers: the base '{top}/base' lies inside the state directory: wafers can't be nested\n"},
        {.cwd = {}, .environment = {"WAFERS_STATE_DIR=" + (world / ".").native()}, .input = {}});
}

TEST_CASE("branches that can't be had") {
  const World world;
  const std::string hint = "hint: choose another one with --branch\n";
  check(world, {{"add", "a", "--branch", "main"},
                3,
                "wafers: branch 'main' is checked out in '{top}/base'\n" + hint});
  world.base().git({"branch", "behind"});
  world.base().write("README", "2\n");
  world.base().commit_all();
  const std::string head = world.base().git_line({"rev-parse", "--short", "HEAD"});
  check(world, {{"add", "a", "--branch", "behind"},
                3,
                "wafers: branch 'behind' exists and does not descend from the base's HEAD " + head +
                    "\nhint: rebase it onto the base's HEAD, or choose another one with "
                    "--branch\n"});
  world.add("a", any_backend());
  check(world, {{"add", "b", "--branch", "wafers/a"},
                3,
                "wafers: branch 'wafers/a' belongs to wafer 'a'\n" + hint});
  check(world, {{"add", "a", "--branch", "other"},
                1,
                "wafers: wafer 'a' exists already\n"
                "hint: choose another name, or remove it with 'wafers rm a'\n"});
  const std::string before = world.everything();
  CHECK(world.wafers({"add", "b", "--branch", "wafers/a/deeper"}).status == 1);
  CHECK(world.everything() == before);
}

TEST_CASE("mountpoints that can't be had") {
  const World world;
  const std::string hint = "hint: choose another place with --at\n";
  const auto add_at = [&](const std::filesystem::path& place) {
    return Words{"add", "b", "--at", (world / place).native()};
  };
  world.add("a", any_backend(), {"--at", (world / "views/a").native()});
  write_file(world / "full/file", "x");
  check(world, {add_at("base/view"), 3,
                "wafers: mountpoint '{top}/base/view' lies inside the Git repository '{top}/base': "
                "git in the view would work on that one\n" +
                    hint});
  check(world, {add_at("full"), 3,
                "wafers: mountpoint '{top}/full' is not empty: it holds 'file'\n" + hint});
  check(world,
        {add_at("full/file"), 3, "wafers: mountpoint '{top}/full/file' is no directory\n" + hint});
  check(world, {add_at("views/a"), 3,
                "wafers: mountpoint '{top}/views/a' overlaps that of wafer 'a'\n" + hint});
  check(world, {add_at("views/a/src/b"), 3,
                "wafers: mountpoint '{top}/views/a/src/b' overlaps that of wafer 'a'\n" + hint});
  check(world, {add_at("views"), 3,
                "wafers: mountpoint '{top}/views' overlaps that of wafer 'a'\n" + hint});
  check(world, {add_at("state/x"), 3,
                "wafers: mountpoint '{top}/state/x' lies inside the state directory\n" + hint});
  // Each alone would do: together they want the same place.
  check(world, {{"add", "b", "c", "--at", (world / "views/{name}/../same").native()},
                3,
                "wafers: mountpoint '{top}/views/same' overlaps that of wafer 'b'\n" + hint});
}

TEST_CASE("bad paths and messages for git-commit") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo changed > README");
  const std::string before = world.everything();
  const auto fails_with = [&](int status, const Words& more) {
    Words arguments{"git-commit", "a"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    INFO(more.back());
    const RunResult result = world.wafers(arguments);
    CHECK(result.status == status);
    CHECK(result.err.starts_with("wafers: "));
    CHECK(world.everything() == before);
  };
  fails_with(2, {"-m", "x", "--", "/README"});
  fails_with(2, {"-m", "x", "--", "../README"});
  fails_with(2, {"-m", "x", "--", "src/../../README"});
  fails_with(2, {"-m", "x", "--", "no-such-file"});
  fails_with(1, {"-m", ""});
  fails_with(1, {"-m", " \n"});
  fails_with(1, {"-F", (world / "no-such-file").native()});
  fails_with(2, {"-m", "x", "--author", "nobody"});
}

}  // namespace
}  // namespace wafers::test
