// In a container whose process 1 waits for nobody, what wafers leaves behind stays a zombie.

#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// A process 1 that waits for the command that it starts alone.
const std::vector<std::string> kNeglectful{
    "perl", "-e", "if (!($child = fork)) { exec @ARGV } waitpid($child, 0); exit($? >> 8)"};

/// Runs a script, with the program as $0, in a pid namespace as the child of `first`, or as its
/// process 1: a shell waits for all. An ordinary user needs a user namespace for that.
RunResult in_container(const World& world, const std::string& script,
                       const std::vector<std::string>& first) {
  std::vector<std::string> argv{"unshare", "--pid", "--fork", "--mount-proc"};
  if (::geteuid() != 0) argv.insert(argv.end(), {"--user", "--map-current-user"});
  argv.insert(argv.end(), first.begin(), first.end());
  argv.insert(argv.end(), {"sh", "-c", script, WAFERS_PROGRAM});
  return run(argv, {.cwd = world / "base"});
}

/// A function of the shell that prints the names of the zombies.
const std::string kZombies =
    R"(zombies() { grep -h '^Name:' /dev/null $(grep -ls '^State:.Z' /proc/[0-9]*/status) || true; } )";

TEST_CASE("what wafers leaves behind is no zombie where nobody waits for orphans") {
  const std::string backend = GENERATE(from_range(working_backends()));
  if (backend == "fuse" && ::geteuid() != 0) return;  // fusermount3 has no privilege in there
  INFO("backend " << backend);
  const World world;
  const RunResult result = in_container(world, kZombies + R"(
        set -e
        "$0" add --backend )" + backend + R"( a > /dev/null
        "$0" exec a -- sh -c 'mkdir many; cd many; seq 3000 | xargs touch'
        "$0" git-commit a -m many > /dev/null
        zombies
        "$0" rm a > /dev/null
        zombies)",
                                        kNeglectful);
  CHECK(result.err == "");
  CHECK(result.ok());
  // Whoever keeps a view mounted can't be anybody else's child.
  const std::string keeper = backend == "namespace" ? "Name:\twafers-holder\n"
                             : backend == "fuse"    ? "Name:\tfuse-overlayfs\n"
                                                    : "";
  CHECK(result.out == keeper);
}

TEST_CASE("a launcher may ignore the end of its children") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const auto ok = [&](Words arguments) {
    arguments.insert(arguments.begin(), {"--ignore-signal=CHLD", WAFERS_PROGRAM});
    const RunResult result = world.run_program("/usr/bin/env", arguments, {});
    CHECK(result.err == "");
    return result.ok();
  };
  CHECK(ok({"add", "--backend", backend, "a"}));
  CHECK(ok({"exec", "a", "--", "touch", "new"}));
  CHECK(ok({"git-commit", "a", "-m", "one"}));
  CHECK(ok({"git-diff", "a", "--stat"}));
  CHECK(ok({"umount", "a"}));
  CHECK(ok({"mount", "a"}));
  CHECK(ok({"rm", "a"}));
}

TEST_CASE("doctor tells whether orphans are waited for") {
  const World world;
  const std::string doctor = R"("$0" doctor; exit 0)";
  CHECK_THAT(in_container(world, doctor, kNeglectful).out,
             Contains("process 1 waits for no orphan"));
  // It doesn't look like an init, but does what one does.
  CHECK_THAT(in_container(world, doctor, {}).out, Contains("ended orphans are waited for"));
}

}  // namespace
}  // namespace wafers::test
