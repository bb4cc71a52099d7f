// fuse: whoever works in a view can stop its server. No command waits for that one for ever.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("commands say that the server of a view is stopped, and what helps") {
  if (std::ranges::find(working_backends(), "fuse") == working_backends().end()) return;
  const World world;
  world.add("a1", "fuse");
  world.inside("a1", "echo new > new");
  std::ifstream record(world.state() / "a1/metadata");
  const pid_t server = nlohmann::json::parse(record)["mount"]["process"]["pid"];
  ::kill(server, SIGSTOP);
  const std::string words = "fuse-overlayfs (process " + std::to_string(server) +
                            "), is stopped\nhint: let it go on with 'kill -CONT " +
                            std::to_string(server) + "'; 'wafers umount a1' ends the view\n";
  const std::vector<std::pair<Words, int>> commands{
      {{"git-status", "a1"}, 4},
      {{"git-diff", "a1", "--uncommitted"}, 4},
      {{"git-add", "a1", "--", "new"}, 4},
      {{"git-commit", "a1", "-m", "x"}, 4},
      {{"mount", "a1"}, 4},
      {{"rm", "a1"}, 4},
      {{"exec", "a1", "--", "true"}, 125},
  };
  for (const auto& [command, status] : commands) {
    CAPTURE(command);
    const RunResult result = world.wafers(command);
    CHECK(result.status == status);
    CHECK_THAT(result.err, Contains(words));
  }
  CHECK(world.listed("a1").at("status") == "mounted");

  SECTION("going on") {
    ::kill(server, SIGCONT);
    CHECK(world.wafers_ok({"git-status", "a1", "--porcelain"}) == "?? new\n");
  }
  SECTION("ending the view") {
    world.wafers_ok({"umount", "a1"});
    CHECK(world.inside("a1", "cat new") == "new\n");
  }
  SECTION("removing the wafer") { world.wafers_ok({"rm", "--force", "a1"}); }
}

}  // namespace
}  // namespace wafers::test
