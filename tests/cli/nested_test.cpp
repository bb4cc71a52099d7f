// A wafer's view isn't made from inside another wafer: it would end with that one.

#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

const char* const kInsideA =
    "wafers: cannot add a wafer from inside wafer 'a': removing that one would end what runs in "
    "the new one\n"
    "hint: leave 'a' first, or let it be added from outside\n";

/// A command inside wafer a, with the program as $0 and the base as $1.
RunResult inside_a(const World& world, const std::string& script) {
  return world.wafers({"exec", "a", "--", "sh", "-c", script, WAFERS_PROGRAM, world / "base"});
}

TEST_CASE("add from inside a wafer is refused, however that is known") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string add = GENERATE(as<std::string>{}, R"("$0" add b)", R"("$0" add b --from "$1")",
                                   R"(cd "$1" && "$0" add b)",
                                   R"(env -u WAFERS_NAME -u WAFERS_ROOT "$0" add b --from "$1")");
  INFO("backend " << backend << ", " << add);
  const World world;
  world.add("a", backend);
  const std::string before = world.everything();
  const RunResult result = inside_a(world, add);
  CHECK(result.status == 3);
  CHECK(result.err == kInsideA);
  CHECK(changes(before, world.everything()) == "");
}

TEST_CASE("in a sandbox inside of a wafer's namespace, too") {
  if (::geteuid() == 0) return;  // uid 0 can be mapped by a capability alone, which it hasn't there
  const World world;
  world.add("a", "namespace");
  const RunResult result =
      inside_a(world, R"(unshare --user --mount --map-current-user env -u WAFERS_NAME )"
                      R"(-u WAFERS_ROOT sh -c 'cd "$1"; exec "$0" add b' "$0" "$1")");
  CHECK(result.status == 3);
  CHECK(result.err == kInsideA);
}

TEST_CASE("who has left a wafer may add, whatever the environment still says") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  const std::string root = world.listed("a")["mountpoint"];
  if (backend != "namespace") world.wafers_ok({"umount", "a"});
  RunResult result = run({"env", "WAFERS_NAME=a", "WAFERS_ROOT=" + root,
                          "WAFERS_STATE_DIR=" + world.state().native(), WAFERS_PROGRAM, "add", "b"},
                         {.cwd = world / "base"});
  CHECK(result.err == "");
  CHECK(result.ok());
}

TEST_CASE("another wafer's view is not mounted in the namespaces of one") {
  const World world;
  world.add("a", "namespace");
  world.add("b", any_backend());
  CHECK(inside_a(world, R"("$0" git-status b && "$0" ls && "$0" mount a && "$0" exec a -- true)")
            .ok());
  world.wafers_ok({"umount", "b"});
  for (const char* command : {R"("$0" mount b)", R"("$0" exec b -- true)"}) {
    const RunResult result = inside_a(world, command);
    CHECK(result.status == (std::string(command).find("exec") == std::string::npos ? 3 : 125));
    CHECK(result.err ==
          "wafers: cannot mount wafer 'b' from inside wafer 'a': the view would end with that "
          "one's\nhint: mount it from outside: wafers mount b\n");
  }
  CHECK(world.listed("b")["status"] == "unmounted");
  world.wafers_ok({"mount", "b"});
}

}  // namespace
}  // namespace wafers::test
