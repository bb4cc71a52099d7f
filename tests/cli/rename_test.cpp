// `wafers rename`: another name for all that a wafer is, but its branch.

#include <filesystem>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("a renamed wafer has all its work, its branch, and a place of the new name") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work; echo 2 > README");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.inside("a", "echo staged > staged; echo more >> work; rm src/old.c");
  world.wafers_ok({"git-add", "a", "--", "staged"});
  const std::string status = world.wafers_ok({"git-status", "a", "--porcelain"});
  const auto before = world.listed("a");

  CHECK(world.wafers_ok({"rename", "a", "b.2"}) ==
        "Renamed wafer a to b.2 (its branch stays wafers/a)\n");
  CHECK_FALSE(fs::exists(world.state() / "a"));
  auto after = world.listed("b.2");
  CHECK(after["mountpoint"] == (world.state() / "b.2/mnt").native());
  CHECK(after["status"] == "unmounted");
  if (backend == "namespace") {
    CHECK_THAT(read_file(world.state() / "b.2/mnt/WAFER-NOT-MOUNTED-HERE.txt"),
               Contains("wafers shell b.2\n"));
  }
  for (const char* key : {"branch", "base_commit", "last_commit", "backend", "created_at"}) {
    CHECK(after[key] == before[key]);
  }
  CHECK(world.inside("b.2", "cat work README staged; echo $WAFERS_NAME") ==
        "work\nmore\n2\nstaged\nb.2\n");
  CHECK(world.wafers_ok({"git-status", "b.2", "--porcelain"}) == status);
  CHECK_THAT(world.wafers({"exec", "a", "--", "true"}).err, Contains("there is no wafer 'a'"));
  world.wafers_ok({"git-commit", "b.2", "-m", "two"});
  CHECK(world.base().git({"log", "--format=%s", "main..wafers/a"}) == "two\none\n");
  // The old name is free, its branch is not.
  const RunResult taken = world.wafers({"add", "a", "--backend", backend});
  CHECK(taken.status != 0);
  CHECK_THAT(taken.err, Contains("b.2"));
  world.wafers_ok({"add", "a", "--backend", backend, "--branch", "other"});
  world.wafers_ok({"rm", "-f", "a", "b.2"});
  CHECK_FALSE(fs::exists(world.state() / "b.2"));
}

TEST_CASE("a place of one's own stays where it is") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  const fs::path place = world / "views/here";
  world.add("a", backend, {"--at", place.native()});
  world.inside("a", "echo work > work");
  world.wafers_ok({"rename", "a", "b"});
  CHECK(world.listed("b")["mountpoint"] == place.native());
  CHECK(world.inside("b", "pwd; cat work") == place.native() + "\nwork\n");
  world.wafers_ok({"rm", "-f", "b"});
  CHECK_FALSE(fs::exists(world / "views"));
}

TEST_CASE("what can't be renamed is left as it is") {
  const World world;
  world.add("a", any_backend());
  world.add("b", any_backend());
  CHECK(world.wafers({"rename", "a"}).status == 2);
  CHECK(world.wafers({"rename", "a", "b", "c"}).status == 2);
  CHECK_THAT(world.wafers({"rename", "a", "../c"}).err, Contains("invalid wafer name"));
  CHECK_THAT(world.wafers({"rename", "x", "c"}).err, Contains("there is no wafer 'x'"));
  const RunResult taken = world.wafers({"rename", "a", "b"});
  CHECK(taken.status == 1);
  CHECK_THAT(taken.err, Contains("wafer 'b' exists already"));
  CHECK(world.wafers({"rename", "a", "a"}).status == 1);
  const pid_t inside = start_inside(world, "a");
  const RunResult busy = world.wafers({"rename", "a", "c"});
  CHECK(busy.status == 4);
  CHECK_THAT(busy.err, Contains(std::to_string(inside)));
  kill_and_wait(inside);
  CHECK(world.inside("a", "cat README") == world.inside("b", "cat README"));
  CHECK(world.json({"ls"})["wafers"].size() == 2);
}

}  // namespace
}  // namespace wafers::test
