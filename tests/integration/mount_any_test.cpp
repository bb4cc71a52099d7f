// What holds for every backend: part of each suite, which says by suite_backend() which one it is
// about.

#include <filesystem>

#include "integration/mount_fixture.h"
#include "support/catch.h"

using namespace wafers;
using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("the view shows the base and keeps what is written in the upper") {
  MountFixture f(suite_backend());
  f.mount();
  CHECK(f.state().status == WaferStatus::mounted);
  CHECK(test::read_file(f.view("file")) == "from the base");
  write_file(f.view("file"), "changed");
  write_file(f.view("new"), "new");
  fs::remove(f.view("deleted"));
  CHECK(test::read_file(f.view("file")) == "changed");
  CHECK(test::read_file(f.wafer.upper() / "file") == "changed");
  CHECK(test::read_file(f.wafer.upper() / "new") == "new");
  CHECK(is_whiteout(f.wafer.upper() / "deleted"));
  CHECK(test::read_file(f.base / "file") == "from the base");
  CHECK(fs::exists(f.base / "deleted"));
}

TEST_CASE("what is written through a mapping is in the upper after a flush") {
  MountFixture f(suite_backend());
  write_file(f.base / "mapped", "before");
  f.mount();
  const Lodger writer = Lodger::outside({"write-mapped", f.view("mapped")});
  f.found()->flush();
  CHECK(test::read_file(f.wafer.upper() / "mapped") == "mapped");
}

TEST_CASE("a view is unmounted, also twice, and also where the record is lost") {
  MountFixture f(suite_backend());
  f.mount();
  SECTION("twice") { f.backend->unmount(f.wafer); }
  SECTION("without a record") {
    Wafer unrecorded = f.wafer;
    unrecorded.mount.reset();
    f.backend->unmount(unrecorded);
  }
  f.backend->unmount(f.wafer);
  CHECK(f.state().status == WaferStatus::unmounted);
  CHECK_FALSE(fs::exists(f.wafer.mountpoint / "file"));
}

TEST_CASE("a view is not unmounted while somebody is inside") {
  MountFixture f(suite_backend());
  f.mount();
  const Lodger lodger = Lodger::inside(f, {"wait"});
  CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
  CHECK_THROWS_WITH(f.backend->unmount(f.wafer), Contains(std::to_string(lodger.pid())));
  CHECK(f.state().status == WaferStatus::mounted);
  CHECK(test::read_file(f.view("file")) == "from the base");
}

TEST_CASE("whoever has the base open is not inside") {
  MountFixture f(suite_backend());
  f.mount();
  const Lodger lodger = Lodger::outside({"hold", f.base / "dir/file"});
  CHECK(f.backend->occupants(f.wafer).empty());
}

TEST_CASE("a trial works here and leaves nothing") {
  const TempDir state;
  const MountMode mode = GENERATE(MountMode::volatile_, MountMode::durable);
  const Trial trial = make_backend(suite_backend())->trial(state.path(), mode);
  CHECK(trial.works);
  CHECK(trial.reason.empty());
  CHECK(fs::is_empty(state.path()));
}
