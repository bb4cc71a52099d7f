// A command that is killed while it has git's lock on a ref leaves that lock: it is in nobody's
// way.

#include <string>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> locks_of(const World& world) {
  std::vector<std::string> locks;
  for (const auto& entry : fs::recursive_directory_iterator(world.base() / ".git")) {
    if (entry.path().extension() == ".lock") locks.push_back(world.shortened(entry.path()));
  }
  return locks;
}

const std::string kBranchLock = "{top}/base/.git/refs/heads/wafers/a.lock";

/// Runs wafers, killed as it is about to make its n-th call that changes something; false where it
/// made fewer.
bool killed_at(const World& world, int n, Words arguments) {
  arguments.insert(arguments.begin(), {"change:" + std::to_string(n), WAFERS_PROGRAM});
  const RunResult result = world.run_program(WAFERS_KILLED_AT, arguments, {});
  INFO(n << ": " << result.err);
  REQUIRE(result.status >= 0);
  REQUIRE(result.status != 2);
  return result.status == 0;
}

TEST_CASE("a killed git-commit is in nobody's way") {
  const World world;
  world.add("a", any_backend());
  bool left = false;
  int n = 1;
  for (;; ++n) {
    const std::string content = std::to_string(n) + "\n";
    world.inside("a", "echo " + std::to_string(n) + " > file");
    if (!killed_at(world, n, {"git-commit", "a", "-m", "killed"})) break;
    INFO("killed at change " << n);
    left = left || locks_of(world) == std::vector{kBranchLock};
    const RunResult next = world.wafers({"git-commit", "a", "-m", "next"});
    // Where the branch has moved already that was the commit.
    const bool moved = next.err == "wafers: nothing to commit, working tree clean\n";
    INFO(next.err);
    CHECK((next.status == 0 || moved));
    CHECK(locks_of(world).empty());
    CHECK(world.base().git({"show", "wafers/a:file"}) == content);
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  }
  CHECK(n > 5);
  CHECK(left);
  world.base().git({"fsck", "--strict"});
}

TEST_CASE("rm takes away the lock that a killed git-commit left, and git has the branch again") {
  bool left = false;
  for (int n = 1;; ++n) {
    const World world;
    world.add("a", any_backend());
    world.inside("a", "echo work > file");
    if (!killed_at(world, n, {"git-commit", "a", "-m", "killed"})) break;
    if (locks_of(world).empty()) continue;
    INFO("killed at change " << n);
    left = true;
    CHECK_FALSE(world.base().try_git({"branch", "-f", "wafers/a", "main"}).ok());
    world.wafers_ok({"rm", "--force", "a"});
    CHECK(locks_of(world).empty());
    world.base().git({"branch", "-f", "wafers/a", "main"});
  }
  CHECK(left);
}

TEST_CASE("a killed add leaves no lock in the way of the next") {
  const World world;
  world.add("other", any_backend());
  bool left = false;
  for (int n = 1; killed_at(world, n, {"add", "a", "--backend", any_backend()}); ++n) {
    INFO("killed at change " << n);
    left = left || !locks_of(world).empty();
    if (fs::exists(world / "state/a")) world.wafers_ok({"rm", "--force", "a"});
    world.add("a", any_backend());
    CHECK(locks_of(world).empty());
    world.wafers_ok({"rm", "a"});
    world.base().git({"branch", "-D", "wafers/a"});
  }
  CHECK(left);
}

TEST_CASE("somebody else's lock on the branch is left alone, also after a kill") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo work > file");
  REQUIRE(killed_at(world, 1, {"git-commit", "a", "-m", "killed"}));
  const fs::path lock = world.base() / ".git/refs/heads/wafers/a.lock";
  write_file(lock, world.base().head() + "\n");
  const RunResult busy = world.wafers({"git-commit", "a", "-m", "x"});
  CHECK(busy.status == 4);
  CHECK_THAT(busy.err, Catch::Matchers::Contains("another process holds"));
  CHECK(world.wafers({"rm", "--force", "a"}).status == 0);
  CHECK(fs::exists(lock));
}

TEST_CASE("rm --force needs no repository to forget what a killed command was about to do") {
  const std::string key = GENERATE("pending_commit", "branch_was");
  CAPTURE(key);
  const World world;
  world.add("a", any_backend());
  world.wafers_ok({"umount", "a"});
  const std::filesystem::path path = world.state() / "a/metadata";
  nlohmann::json record = nlohmann::json::parse(read_file(path));
  record[key] = record["last_commit"];
  write_file(path, record.dump());
  std::filesystem::rename(world.base().path() / ".git", world / "away");
  world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
  CHECK_FALSE(std::filesystem::exists(world.state() / "a"));
}

}  // namespace
}  // namespace wafers::test
