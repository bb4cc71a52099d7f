// Which paths several wafers have changed.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("overlap lists what two or more wafers have changed, committed or not") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  CHECK(world.wafers_ok({"overlap"}).empty());
  world.wafers_ok({"add", "a", "b", "c", "--backend", backend});
  CHECK(world.wafers_ok({"overlap"}).empty());
  world.inside("a", "echo a > README; rm src/old.c; mkdir new; echo a > new/f; touch built.o");
  world.wafers_ok({"git-commit", "a", "-m", "a"});
  world.inside("b", "echo b > README; echo b > src/old.c; touch built.o; echo b > alone");
  world.inside("c", "mkdir new; echo c > new/f; echo c > src/old.c");
  world.wafers_ok({"git-add", "c", "--", "src/old.c"});
  world.wafers_ok({"umount", "c"});
  const std::string all = "README: a b\nnew/f: a c\nsrc/old.c: a b c\n";
  CHECK(world.wafers_ok({"overlap"}) == all);
  CHECK(world.wafers_ok({"overlap", "c", "b"}) == "src/old.c: b c\n");
  CHECK(world.wafers_ok({"overlap", "b"}).empty());
  const auto overlaps = world.json({"overlap", "a", "b"})["overlaps"];
  REQUIRE(overlaps.size() == 2);
  CHECK(overlaps[1]["path"] == "src/old.c");
  CHECK(overlaps[1]["wafers"] == Words{"a", "b"});
  CHECK(overlaps[1]["repository"] == world.base().path().native());
  // What was taken back is no change.
  world.inside("b", "echo base > README");
  CHECK(world.wafers_ok({"overlap", "a", "b"}) == "src/old.c: a b\n");
}

TEST_CASE("overlap takes no lock, and leaves out what it can't look at") {
  const World world;
  world.wafers_ok({"add", "a", "b", "c", "--backend", any_backend()});
  for (const char* name : {"a", "b", "c"}) world.inside(name, "echo x > README");
  const RunResult locked =
      run({"flock", (world / "state/a").native() + "/lock", WAFERS_PROGRAM, "overlap"},
          {.cwd = world.base().path(),
           .environment = {"WAFERS_STATE_DIR=" + world.state().native()},
           .input = {}});
  CHECK(locked.out == "README: a b c\n");
  wafers::test::remove_tree(world / "state/b/upper");
  const RunResult without = world.wafers({"overlap"});
  CHECK(without.status == 0);
  CHECK(without.out == "README: a c\n");
  CHECK_THAT(without.err, Contains("wafer 'b' is left out"));
  CHECK(world.wafers({"overlap", "none"}).status == 1);
}

TEST_CASE("overlap keeps repositories apart") {
  const World world;
  const GitRepo other = GitRepo::init(world / "other");
  other.write("README", "other\n");
  other.commit_all();
  const std::string backend = any_backend();
  world.wafers_ok({"add", "a", "b", "--backend", backend});
  world.wafers_ok({"add", "c", "d", "--from", other.path().native(), "--backend", backend});
  for (const char* name : {"a", "b", "c"}) world.inside(name, "echo x > README");
  CHECK(world.wafers_ok({"overlap"}) == (world.base() / "README").native() + ": a b\n");
  world.inside("d", "echo x > README");
  CHECK(world.wafers_ok({"overlap"}) ==
        (world.base() / "README").native() + ": a b\n" + (other / "README").native() + ": c d\n");
}

}  // namespace
}  // namespace wafers::test
