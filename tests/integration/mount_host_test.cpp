#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "integration/mount_fixture.h"
#include "linux/capabilities.h"
#include "linux/namespaces.h"
#include "linux/overlay.h"
#include "linux/upper.h"
#include "os/child.h"
#include "support/catch.h"
#include "support/needs.h"

using namespace wafers;
using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// An ordinary user gets there the way `podman unshare` does it: a user namespace for the whole
/// suite.
std::optional<std::string> become_able_to_mount() {
  if (has_sys_admin()) {
    unshare_mount();  // so that nothing of the suite is left on the host
    make_mounts_slave();
    return std::nullopt;
  }
  try {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    unshare_user_and_mount();
    map_own_ids(uid, gid);
    return std::nullopt;
  } catch (const Error& error) {
    return error.message();
  }
}

bool is_real_root() {
  // In the initial user namespace the whole range of ids is mapped.
  return ::geteuid() == 0 &&
         test::read_file("/proc/self/uid_map").find("4294967295") != std::string::npos;
}

const Need kNeedsMounting("CAP_SYS_ADMIN over a mount namespace", become_able_to_mount);

constexpr auto kKind = BackendKind::host;

}  // namespace

BackendKind wafers::test::suite_backend() { return kKind; }

TEST_CASE("odd characters in base, state directory and mountpoint") {
  const std::string odd = GENERATE(from_range(odd_names()));
  CAPTURE(odd);
  MountFixture f(kKind, odd);
  f.mount();
  write_file(f.wafer.mountpoint / "new", "new");
  CHECK(test::read_file(f.wafer.upper() / "new") == "new");
  const auto record = f.wafer.mount;
  f.wafer.mount.reset();
  CHECK(f.state().status == WaferStatus::mounted);
  f.wafer.mount = record;
  f.backend->unmount(f.wafer);
  CHECK(f.state().status == WaferStatus::unmounted);
}

TEST_CASE("an upper is never mounted twice") {
  MountFixture f(kKind);
  f.mount();
  SECTION("in this mount namespace: it is the same one") {
    CHECK(f.backend->mount(f.wafer).device == f.wafer.mount->device);
  }
  SECTION("without a record: it is found again") {
    const auto device = f.wafer.mount->device;
    f.wafer.mount.reset();
    f.mount();
    CHECK(f.wafer.mount->device == device);
  }
  SECTION("somewhere else: the kernel refuses, and wafers says busy") {
    Wafer elsewhere = f.wafer;
    elsewhere.mount.reset();
    elsewhere.mountpoint = f.make_wafer("elsewhere").mountpoint;
    CHECK_THROWS_WITH(f.backend->mount(elsewhere), Contains("in use"));
  }
}

TEST_CASE("with a record of another boot the mount table says whether the view is mounted") {
  MountFixture f(kKind);
  f.mount();
  Wafer rebooted = f.wafer;
  rebooted.mount->boot_id = "00000000-0000-0000-0000-000000000000";
  CHECK(f.backend->state(rebooted).status == WaferStatus::mounted);
  unmount(f.wafer.mountpoint);
  CHECK(f.backend->state(rebooted).status == WaferStatus::unmounted);
}

TEST_CASE("a view that somebody unmounted by hand is mounted again") {
  MountFixture f(kKind);
  f.mount();
  write_file(f.wafer.mountpoint / "new", "new");
  unmount(f.wafer.mountpoint);
  CHECK(f.state().status == WaferStatus::unmounted);
  f.mount();
  CHECK(test::read_file(f.wafer.mountpoint / "new") == "new");
}

TEST_CASE("a view in another mount namespace is mounted there, and not here") {
  MountFixture f(kKind);
  f.mount();
  const auto failure = run_in_child([&] {
    unshare_mount();
    unmount(f.wafer.mountpoint);
    const MountState state = f.state();
    if (state.status != WaferStatus::mounted || !state.mnt_ns) {
      throw std::runtime_error("not seen to be mounted elsewhere");
    }
    if (test::read_file(*state.host_path / "file") != "from the base") {
      throw std::runtime_error("not reached through the host path");
    }
    try {
      f.found()->enter();
    } catch (const Error& error) {
      if (error.message().find("another mount namespace") != std::string::npos) return;
    }
    throw std::runtime_error("entered what isn't here");
  });
  if (failure) FAIL(failure->doing);
}

TEST_CASE("unmounting") {
  MountFixture f(kKind);
  f.mount();
  SECTION("is refused while somebody has a file of the base open through it") {
    const Lodger lodger = Lodger::outside({"hold", f.wafer.mountpoint / "dir/file"});
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
    CHECK_THROWS_WITH(f.backend->unmount(f.wafer), Contains(std::to_string(lodger.pid())));
  }
  SECTION("is refused while somebody has a file of it mapped") {
    write_file(f.wafer.mountpoint / "mapped", "mapped");
    const Lodger lodger = Lodger::outside({"hold-mapped", f.wafer.mountpoint / "mapped"});
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
  }
}

TEST_CASE("the caller's capabilities are the same inside") {
  MountFixture f(kKind);
  f.mount();
  CHECK(probe_inside(f, "caps") == probe_outside("caps"));
  // Of an ordinary user who mounts in a user namespace of his own, execve(2) has taken them all.
  if (is_real_root()) CHECK_THAT(probe_outside("caps"), !Contains("CapEff:\t0000000000000000"));
}

TEST_CASE("trusted extended attributes, where user ones aren't to be had") {
  if (!is_real_root()) return;  // nobody else may set them
  MountFixture f(kKind);
  f.wafer.dialect = UpperDialect::kernel_trusted;
  f.mount();
  fs::remove_all(f.wafer.mountpoint / "dir");
  fs::create_directory(f.wafer.mountpoint / "dir");
  CHECK_FALSE(fs::exists(f.wafer.mountpoint / "dir/file"));
  fs::rename(f.wafer.mountpoint / "file", f.wafer.mountpoint / "moved");
  CHECK(test::read_file(f.wafer.upper() / "moved") == "from the base");  // with its data
}

TEST_CASE("a trial without privilege says what is missing") {
  const TempDir state;
  const auto failure = run_in_child([&] {
    drop_all_capabilities();
    const Trial trial = make_backend(kKind)->trial(state.path(), MountMode::volatile_);
    if (trial.works) throw std::runtime_error("it works");
    if (trial.reason.find("CAP_SYS_ADMIN") == std::string::npos) {
      throw std::runtime_error(trial.reason);
    }
  });
  if (failure) FAIL(failure->doing);
}

TEST_CASE("who may mount here gets the host backend by default") {
  const TempDir state;
  const BackendChoice choice =
      choose_backend(state.path(), MountMode::volatile_, Trials::made_anew);
  CHECK(choice.kind == BackendKind::host);
  CHECK(choice.fallbacks.empty());
}
