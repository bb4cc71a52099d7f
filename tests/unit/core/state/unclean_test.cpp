#include "core/state/unclean.h"

#include "base/error.h"
#include "core/state/record.h"
#include "core/state/store.h"
#include "hand_made_view.h"
#include "os/process.h"
#include "support/catch.h"
#include "support/next_tick.h"

using wafers::Error;
using wafers::Store;
using wafers::Wafer;
using wafers::test::HandMadeView;
namespace fs = std::filesystem;

namespace {

const char* const kOtherBoot = "00000000-0000-4000-8000-000000000000";

void accept(const Store& store, const Wafer& wafer) {
  wafers::LockedWafer locked(store, store.lock("a1"), wafer);
  wafers::accept_unclean(locked);
}

TEST_CASE("a wafer is unclean where it was mounted volatile in another boot") {
  Wafer wafer;
  CHECK_FALSE(wafers::is_unclean(wafer));
  wafer.volatile_boot = wafers::boot_id();
  REQUIRE_FALSE(wafer.volatile_boot.empty());
  CHECK_FALSE(wafers::is_unclean(wafer));
  wafer.volatile_boot = kOtherBoot;
  CHECK(wafers::is_unclean(wafer));
  CHECK_THROWS_AS(wafers::refuse_unclean(wafer), Error);
}

TEST_CASE("the stat data of an unclean wafer prove nothing") {
  HandMadeView view("echo 1 > file");
  view.write("file", "2\n");
  view.commit();
  Wafer& wafer = view.wafer();
  CHECK(wafers::open_wafer_git(wafer).stat_cache);
  wafer.volatile_boot = kOtherBoot;
  CHECK_FALSE(wafers::open_wafer_git(wafer).stat_cache);
}

TEST_CASE("what is accepted is clean from then on, and its stat data are gone") {
  HandMadeView view("echo 1 > file");
  view.write("file", "2\n");
  view.commit();
  view.write("file", "3\n");
  wafers::test::wait_for_next_tick();
  CHECK(view.status() == " M file\n");
  Wafer& wafer = view.wafer();
  REQUIRE(fs::exists(wafer.seen()));
  wafer.name = "a1";
  const Store store(view.scratch() / "state");
  fs::create_directories(store.directory_of("a1"));
  wafer.mountpoint = store.directory_of("a1") / "mnt";
  const auto record = [&] { return store.lookup("a1").wafer.value(); };
  SECTION("an unclean one") {
    wafer.volatile_boot = kOtherBoot;
    accept(store, wafer);
    CHECK(record().volatile_boot == wafers::boot_id());
    CHECK_FALSE(fs::exists(wafer.index()));
    CHECK_FALSE(fs::exists(wafer.seen()));
  }
  SECTION("one that is clean stays as it is") {
    accept(store, wafer);
    CHECK_FALSE(store.lookup("a1").wafer);
    CHECK(fs::exists(wafer.index()));
    CHECK(fs::exists(wafer.seen()));
  }
}

TEST_CASE("that a view may be unclean is noted once, and not of a durable one") {
  const wafers::test::TempDir temp;
  const Store store(temp.path());
  fs::create_directories(store.directory_of("a1"));
  Wafer wafer;
  wafer.name = "a1";
  wafer.branch = "wafers/a1";
  wafer.base_commit = wafer.checkout_commit = wafer.last_commit = std::string(40, 'a');
  wafer.mountpoint = store.directory_of("a1") / "mnt";
  wafer.checkout = "/";
  wafer.layers = {wafer.checkout};
  SECTION("volatile") {
    wafers::LockedWafer locked(store, store.lock("a1"), wafer);
    wafers::expect_unclean(locked);
    CHECK(store.lookup("a1").wafer.value().volatile_boot == wafers::boot_id());
  }
  SECTION("durable") {
    wafer.durable = true;
    wafers::LockedWafer locked(store, store.lock("a1"), wafer);
    wafers::expect_unclean(locked);
    CHECK(locked->volatile_boot.empty());
    CHECK_FALSE(store.lookup("a1").wafer);
  }
}

}  // namespace
