#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> discarded(const World& world) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(world.state())) {
    const bool is_one = entry.path().filename().native().starts_with(".removing-");
    if (is_one) found.push_back(entry.path());
  }
  return found;
}

/// Whoever removes a discarded directory has it locked from before `wafers` ends until it is gone.
void wait_for_removers(const World& world) {
  for (const fs::path& path : discarded(world)) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd) REQUIRE(::flock(fd.get(), LOCK_EX) == 0);
  }
}

constexpr const char* kManyFiles =
    "for d in $(seq 30); do mkdir -p \"$d.o\"; (cd \"$d.o\"; seq 100 | xargs touch); done;"
    "mkdir -p locked.o/in; chmod 0 locked.o/in";

TEST_CASE("a large view is removed in the background") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--at", (world / "view").native()});
  world.inside("a", kManyFiles);
  CHECK(world.wafers_ok({"rm", "a"}) == "Removed wafer a (branch wafers/a is kept)\n");
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK_FALSE(fs::exists(world / "view"));
  CHECK(world.json({"ls"})["wafers"].empty());
  CHECK(world.json({"ls"})["invalid_entries"].empty());
  wait_for_removers(world);
  CHECK(discarded(world).empty());
  world.add("a", backend, {"--branch", "other"});
}

TEST_CASE("what a killed remover left is removed by whoever comes next") {
  const World world;
  world.add("a", any_backend());
  world.add("b", any_backend());
  const auto leave_behind = [&] {
    write_file(world / "state/.removing-old-1-0/upper/dir/file", "x");
    fs::permissions(world / "state/.removing-old-1-0/upper/dir", fs::perms::none);
  };
  const bool by_add = GENERATE(true, false);
  leave_behind();
  if (by_add) {
    world.add("c", any_backend());
  } else {
    world.wafers_ok({"rm", "a"});
  }
  wait_for_removers(world);
  CHECK(discarded(world).empty());
}

TEST_CASE("one that is being removed is left to who does it") {
  const World world;
  world.add("a", any_backend());
  write_file(world / "state/.removing-old-1-0/file", "x");
  const UniqueFd lock(
      ::open((world / "state/.removing-old-1-0").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  world.wafers_ok({"rm", "a"});
  CHECK(fs::exists(world / "state/.removing-old-1-0/file"));
}

}  // namespace
}  // namespace wafers::test
