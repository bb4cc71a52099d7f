// Bad input of every kind: its exit status, its message word by word, and that nothing has changed.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

const char* const kNameHint =
    "hint: a name is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit\n";
const char* const kListHint = "hint: 'wafers ls' lists the wafers that there are\n";

TEST_CASE("wrong usage") {
  const World world;
  const std::string too_long(65, 'x');
  const std::vector<Refusal> cases{
      {{"frob"}, 2, "wafers: unknown command 'frob'\nhint: see 'wafers help'\n"},
      {{"--frob"}, 2, "wafers: unknown option '--frob'\nhint: see 'wafers help'\n"},
      {{"a\x1B[31m\n"}, 2, "wafers: unknown command 'a\\033[31m\\n'\nhint: see 'wafers help'\n"},
      {{"help", "frob"}, 2, "wafers: help: unknown command 'frob'\n" + see_help("help")},
      {{"add"}, 2, "wafers: add: the name of a wafer is missing\n" + see_help("add")},
      {{"add", "a", "--frob"},
       2,
       "wafers: add: unknown option '--frob'\n"
       "hint: did you mean '--from'? see 'wafers help add'\n"},
      {{"add", "a", "--at"},
       2,
       "wafers: add: --at: 1 required <mountpoint> missing\n" + see_help("add")},
      {{"add", "a", "--at", ""}, 2, "wafers: --at is empty\n"},
      {{"add", "a", "--branch", ""}, 2, "wafers: --branch is empty\n"},
      {{"add", "a", "--from", ""}, 2, "wafers: add: --from is empty\n" + see_help("add")},
      {{"add", "a b"}, 2, std::string("wafers: invalid wafer name 'a b'\n") + kNameHint},
      {{"add", "--", "-a"}, 2, std::string("wafers: invalid wafer name '-a'\n") + kNameHint},
      {{"add", ""}, 2, std::string("wafers: invalid wafer name ''\n") + kNameHint},
      {{"add", "a\nb"}, 2, std::string("wafers: invalid wafer name 'a\\nb'\n") + kNameHint},
      {{"add", ".a"}, 2, std::string("wafers: invalid wafer name '.a'\n") + kNameHint},
      {{"add", "h\xC3\xB6he"},
       2,
       std::string("wafers: invalid wafer name 'h\xC3\xB6he'\n") + kNameHint},
      {{"add", too_long}, 2, "wafers: invalid wafer name '" + too_long + "'\n" + kNameHint},
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
      {{"mount", "--all", "a"},
       2,
       "wafers: mount: --all and names exclude each other\n" + see_help("mount")},
      {{"umount", "--all", "a"},
       2,
       "wafers: umount: --all and names exclude each other\n" + see_help("umount")},
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
      {{"git-commit", "a", "-m", "x", "y"},
       2,
       "wafers: git-commit: unexpected argument 'y'\n" + see_help("git-commit")},
      {{"git-status", "a", "--", "x"},
       2,
       "wafers: git-status: unexpected argument 'x'\n" + see_help("git-status")},
      {{"doctor", "x"}, 2, "wafers: doctor: unexpected argument 'x'\n" + see_help("doctor")},
      {{"skill", "x"}, 2, "wafers: skill: unexpected argument 'x'\n" + see_help("skill")},
      {{"version", "x"}, 2, "wafers: version: unexpected argument 'x'\n" + see_help("version")},
      {{"help", "add", "x"}, 2, "wafers: help: unexpected argument 'x'\n" + see_help("help")},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

TEST_CASE("exec and shell have exit statuses of their own") {
  const World world;
  const std::string exec_hint = see_help("exec");
  const std::vector<Refusal> cases{
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
      {{"exec", "a", "--cwd"}, 125, "wafers: exec: --cwd: 1 required <dir> missing\n" + exec_hint},
      {{"exec", "a", "--env", "X", "--", "true"},
       125,
       "wafers: exec: --env wants K=V, not 'X'\n" + exec_hint},
      {{"exec", "a", "--frob", "--", "true"},
       125,
       "wafers: exec: unknown option '--frob'\n" + exec_hint},
      {{"shell"}, 125, "wafers: shell: the name of a wafer is missing\n" + see_help("shell")},
      {{"shell", "a", "ls"},
       125,
       "wafers: shell: unexpected argument 'ls': wafers exec runs a command\n" + see_help("shell")},
      {{"shell", "none"}, 125, std::string("wafers: there is no wafer 'none'\n") + kListHint},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

TEST_CASE("wafers that there are not") {
  const World world;
  const std::string err = std::string("wafers: there is no wafer 'none'\n") + kListHint;
  for (const Words& arguments : {Words{"mount", "none"}, Words{"umount", "none"},
                                 Words{"rm", "none"}, Words{"git-status", "none"},
                                 Words{"git-diff", "none"}, Words{"git-commit", "none", "-m", "x"},
                                 Words{"git-add", "none", "--", "x"}, Words{"git-push", "none"}}) {
    check_refused(world, {arguments, 1, err});
  }
  check_refused(
      world,
      {{"rm", "../base"}, 1, std::string("wafers: there is no wafer '../base'\n") + kListHint});
}

TEST_CASE("failures are JSON too where JSON is asked for") {
  const World world;
  const auto usage = world.json({"add", "--frob"});
  CHECK(usage["error"]["kind"] == "usage");
  CHECK(usage["error"]["message"] == "add: unknown option '--frob'");
  CHECK(usage["error"]["hint"] == "did you mean '--from'? see 'wafers help add'");
  CHECK(world.wafers({"add", "--frob", "--json"}).status == 2);
  CHECK(world.wafers({"add", "--frob", "--json"}).err.empty());
  CHECK(world.json({"git-status", "none"})["error"]["kind"] == "failed");
  CHECK(world.json({"rm", "none"})["error"]["kind"] == "failed");
  world.base().write("README", "dirty\n");
  CHECK(world.json({"add", "a"})["error"]["kind"] == "refused");
}

TEST_CASE("a name from the environment counts where none is given, unless it is empty") {
  const World world;
  world.add("a", any_backend());
  const auto status = [&](const std::string& name, const Words& more = {}) {
    Words arguments{"git-status"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.run_program("/usr/bin/env",
                             [&] {
                               Words words{"WAFERS_NAME=" + name, WAFERS_PROGRAM};
                               words.insert(words.end(), arguments.begin(), arguments.end());
                               return words;
                             }(),
                             {});
  };
  CHECK(status("a").out == "On branch wafers/a\nnothing to commit, working tree clean\n");
  CHECK(status("").status == 2);
  CHECK(status("none").status == 1);
  CHECK(status("none", {"a"}).ok());
}

TEST_CASE("bad paths and messages for git-commit") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo changed > README; touch built.o");
  const auto path = [](const std::string& name) {
    return Words{"git-commit", "a", "-m", "x", "--", name};
  };
  const std::string hint = "hint: give files or directories relative to the wafer's root\n";
  const auto file = [&](const char* name) {
    return Words{"git-commit", "a", "-F", (world / name).native()};
  };
  const std::vector<Refusal> cases{
      {file("missing"), 1,
       "wafers: cannot read '{top}/missing': No such file or directory "
       "(ENOENT)\n"},
      {file("base"), 1, "wafers: cannot read '{top}/base': Is a directory (EISDIR)\n"},
      {path("/README"), 2, "wafers: path '/README' is absolute\n" + hint},
      {path("../README"), 2, "wafers: path '../README' leads out of the wafer\n" + hint},
      {path("src/../../README"), 2,
       "wafers: path 'src/../../README' leads out of the wafer\n" + hint},
      {path(""), 2, "wafers: path '' is empty\n" + hint},
      {path("missing"), 2,
       "wafers: path 'missing' did not match any files\n"
       "hint: paths are counted from the root of the view\n"},
      {path("built.o"), 2,
       "wafers: path 'built.o' is ignored\n"
       "hint: an ignored file is committed once the ignore rule is gone\n"},
      {{"git-commit", "a", "-m", ""}, 1, "wafers: aborting commit due to empty commit message\n"},
      {{"git-commit", "a", "-m", " \n"},
       1,
       "wafers: aborting commit due to empty commit message\n"},
      {{"git-commit", "a", "-m", "x", "--author", "nobody"},
       2,
       "wafers: --author 'nobody' is not 'Name <email>' and matches no existing author\n"},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

}  // namespace
}  // namespace wafers::test
