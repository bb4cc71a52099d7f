#include <unistd.h>

#include <csignal>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("exec gives the command what it was given") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--at", (world / "view").native()});
  const auto exec = [&](const Words& more) {
    Words arguments{"exec", "a"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.wafers(arguments);
  };

  SECTION("arguments, untouched") {
    CHECK(exec({"--", "printf", "<%s>", "--cwd", "-h", "--", "", "[a,b]", "a b"}).out ==
          "<--cwd><-h><--><><[a,b]><a b>");
  }
  SECTION("standard streams") {
    const RunResult result = world.wafers({"exec", "a", "--", "sh", "-c", "cat; echo err >&2"},
                                          {.cwd = {}, .environment = {}, .input = "in"});
    CHECK(result.out == "in");
    CHECK(result.err == "err\n");
  }
  SECTION("exit status and death by a signal") {
    CHECK(exec({"--", "sh", "-c", "exit 42"}).status == 42);
    CHECK(exec({"--", "sh", "-c", "kill -TERM $$"}).signal == SIGTERM);
  }
  SECTION("a command that can't be run") {
    const RunResult missing = exec({"--env", "PATH=/usr/bin:/bin", "--", "no-such-command"});
    CHECK(missing.status == 127);
    CHECK(missing.err ==
          "wafers: cannot run 'no-such-command': No such file or directory (ENOENT)\n");
    const RunResult denied = exec({"--", "./README"});
    CHECK(denied.status == 126);
    CHECK(denied.err == "wafers: cannot run './README': Permission denied (EACCES)\n");
  }
  SECTION("its directory") {
    const std::string view = (world / "view").native();
    CHECK(exec({"--", "pwd"}).out == view + "\n");
    CHECK(exec({"--cwd", "src", "--", "sh", "-c", "pwd; /bin/pwd"}).out ==
          view + "/src\n" + view + "/src\n");
    CHECK(exec({"--cwd", "/", "--", "pwd"}).out == "/\n");
    CHECK(exec({"--cwd", "src/../..", "--", "/bin/pwd"}).out ==
          (world / "").parent_path().native() + "\n");
    const RunResult missing = exec({"--cwd", "none", "--", "pwd"});
    CHECK(missing.status == 125);
    CHECK(world.shortened(missing.err) ==
          "wafers: cannot change to directory '{top}/view/none' in the view: No such file or "
          "directory (ENOENT)\n");
    const RunResult here = world.wafers({"exec", "a", "--", "pwd"},
                                        {.cwd = world / "view", .environment = {}, .input = {}});
    CHECK(here.out == view + "\n");
  }
  SECTION("its environment") {
    CHECK(exec({"--", "sh", "-c", "echo $WAFERS_NAME $WAFERS_BRANCH $WAFERS_ROOT"}).out ==
          "a wafers/a " + (world / "view").native() + "\n");
    CHECK(exec({"--env", "X=1=2", "--env", "Y=", "--", "sh", "-c", "echo \"$X|${Y-unset}\""}).out ==
          "1=2|\n");
    const RunResult hook =
        world.wafers({"exec", "a", "--", "sh", "-c", "echo ${GIT_DIR-none} ${GIT_INDEX_FILE-none}"},
                     {.cwd = {},
                      .environment = {"GIT_DIR=/nowhere", "GIT_INDEX_FILE=/nowhere/index"},
                      .input = {}});
    CHECK(hook.out == "none none\n");
  }
  SECTION("its ids") {
    CHECK(exec({"--", "sh", "-c", "id -u; id -g"}).out ==
          std::to_string(::getuid()) + "\n" + std::to_string(::getgid()) + "\n");
  }
  SECTION("no descriptors of ours") {
    const Words list{"sh", "-c", "ls /proc/$$/fd"};
    CHECK(exec({"--", "sh", "-c", list.back()}).out == run(list).out);
  }
}

/// The five sets of capabilities and no_new_privs of a process that `how` starts.
std::string privileges(Words how) {
  for (const char* word : {"grep", "-E", "^(Cap|NoNewPrivs)", "/proc/self/status"}) {
    how.emplace_back(word);
  }
  return run_ok(how);
}

TEST_CASE("exec keeps no capability in a namespace, and all privileges as they are elsewhere") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  std::vector<Words> callers{{"env"}, {"setpriv", "--no-new-privs"}};
  if (::geteuid() == 0) {
    callers.push_back({"setpriv", "--inh-caps=-all,+chown,+kill", "--ambient-caps=+chown"});
    callers.push_back({"setpriv", "--bounding-set=-net_raw"});
  }
  for (const Words& caller : callers) {
    Words enter = caller;
    for (const std::string& word :
         {std::string("env"), "WAFERS_STATE_DIR=" + world.state().native(),
          std::string(WAFERS_PROGRAM), std::string("exec"), std::string("a"), std::string("--")}) {
      enter.push_back(word);
    }
    const std::string inside = privileges(enter);
    if (backend == "namespace") {
      for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
        CHECK_THAT(inside, Contains(set + ":\t0000000000000000\n"));
      }
      if (::geteuid() == 0) CHECK_THAT(inside, Contains("CapBnd:\t0000000000000000\n"));
    } else {
      CHECK(inside == privileges(caller));
    }
  }
}

TEST_CASE("root works in a view of another user's checkout as it does outside") {
  if (::geteuid() != 0) return;
  const std::string backend = GENERATE(from_range(working_backends()));
  if (backend == "namespace") return;
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  run_ok({"chown", "-R", "2001:2001", world.base().path().native()});
  CHECK(world.inside("a",
                     "echo more >> README; chown 2002:2003 README; stat -c '%u %g' README; "
                     "chmod 600 README; setpriv --reuid 2002 --clear-groups head -1 README; "
                     "setpriv --reuid 2004 --clear-groups head -1 README 2>&1 || echo denied") ==
        "2002 2003\nbase\nhead: cannot open 'README' for reading: Permission denied\ndenied\n");
}

TEST_CASE("shell runs $SHELL in the view") {
  const World world;
  world.add("a", any_backend());
  const RunResult result = world.wafers(
      {"shell", "a"}, {.cwd = {}, .environment = {"SHELL=/bin/sh"}, .input = "pwd; exit 3\n"});
  CHECK(result.out == (world / "state/a/mnt").native() + "\n");
  CHECK(result.status == 3);
  CHECK(world.wafers({"shell", "a"}, {.cwd = {}, .environment = {"SHELL=/no/shell"}, .input = {}})
            .status == 127);
}

TEST_CASE("an agent commits its own work from inside") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  const std::string program = "'" WAFERS_PROGRAM "'";
  CHECK(world.inside("a", "echo x > file; " + program + " git-status --porcelain") == "?? file\n");
  world.inside("a", program + " git-commit -m inside");
  CHECK(world.base().git({"show", "wafers/a:file"}) == "x\n");
  CHECK(world.inside("a", program + " git-diff --name-only") == "file\n");
  CHECK_THAT(world.inside("a", program + " ls"), Contains("mounted"));
}

}  // namespace
}  // namespace wafers::test
