// Objects that a killed command has half written are left where git sweeps its own: by `git prune`,
// which `git gc` runs.

#include <string>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// Whether it was killed, before its n-th change.
bool commit_killed_at(const World& world, int n) {
  const Words words{"change:" + std::to_string(n), WAFERS_PROGRAM, "git-commit", "a", "-m", "work"};
  const RunResult result = world.run_program(WAFERS_KILLED_AT, words, {});
  REQUIRE((result.status == 0 || result.status == 1));
  return result.status == 0;
}

/// Files among the objects that have none of git's names for what is complete.
std::vector<std::string> unfinished_objects(const World& world) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(world.base() / ".git/objects")) {
    const std::string name = entry.path().filename();
    const bool complete = name.size() == 38 || name.starts_with("pack-");
    if (entry.is_regular_file() && !complete) found.push_back(world.shortened(entry.path()));
  }
  return found;
}

TEST_CASE("git prune takes away the objects that a killed git-commit has half written") {
  // A few become loose objects, many a pack.
  const auto [files, step] = GENERATE(table<int, int>({{3, 1}, {300, 5}}));
  INFO(files << " files");
  const World world;
  world.add("a", any_backend());
  world.inside("a", "for i in $(seq " + std::to_string(files) + "); do echo $i > new$i; done");
  int kills = 0;
  for (int n = 1; commit_killed_at(world, n); n += step) ++kills;
  CHECK(kills > 5);
  CHECK_FALSE(unfinished_objects(world).empty());
  world.base().git({"prune", "--expire=now"});
  CHECK(unfinished_objects(world).empty());
  world.base().git({"fsck", "--strict"});
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
}

}  // namespace
}  // namespace wafers::test
