#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "base/error.h"
#include "integration/mount_fixture.h"
#include "linux/capabilities.h"
#include "linux/clean_end.h"
#include "linux/holder.h"
#include "linux/mount_table.h"
#include "linux/namespaces.h"
#include "linux/overlay.h"
#include "linux/second_view.h"
#include "os/child.h"
#include "os/files.h"
#include "os/process.h"
#include "os/spawn.h"
#include "support/catch.h"
#include "support/needs.h"

using namespace wafers;
using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const Need kNeedsNamespaces("the namespace backend", []() -> std::optional<std::string> {
  const TempDir state;
  const Trial trial =
      make_backend(BackendKind::namespace_)->trial(state.path(), MountMode::volatile_);
  return trial.works ? std::nullopt : std::optional(trial.reason);
});

constexpr auto kKind = BackendKind::namespace_;

std::string proc_file(pid_t pid, const std::string& name) {
  return test::read_file("/proc/" + std::to_string(pid) + "/" + name);
}

/// The number behind `key` in /proc/<pid>/<file>.
long long number_of(pid_t pid, const std::string& file, const std::string& key) {
  std::istringstream lines(proc_file(pid, file));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return std::stoll(line.substr(key.size()));
  }
  throw std::runtime_error("no " + key + " in " + file);
}

/// The set of bits behind `key` in /proc/<pid>/status.
std::uint64_t status_mask(pid_t pid, const std::string& key) {
  std::istringstream lines(proc_file(pid, "status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return std::stoull(line.substr(key.size()), nullptr, 16);
  }
  throw std::runtime_error("no " + key);
}

/// What a holder needs to unmount the view when it is asked to end: CAP_SYS_ADMIN, CAP_SYS_PTRACE.
constexpr std::uint64_t kHolderCapabilities = (1U << 21U) | (1U << 19U);

ErrorKind kind_of_error(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.message();
    return error.kind();
  }
  throw std::runtime_error("no error");
}

/// The view by its mountpoint, from outside.
fs::path at_mountpoint(const MountFixture& f) {
  return "/proc/" + std::to_string(f.wafer.mount->process->pid) + "/root" +
         f.wafer.mountpoint.native();
}

}  // namespace

BackendKind wafers::test::suite_backend() { return kKind; }

TEST_CASE("odd characters in base, state directory and mountpoint") {
  const std::string odd = GENERATE(from_range(odd_names()));
  CAPTURE(odd);
  MountFixture f(kKind, odd);
  f.mount();
  CHECK(test::read_file(f.view("file")) == "from the base");
  write_file(f.view("new"), "new");
  CHECK(test::read_file(f.wafer.upper() / "new") == "new");
  CHECK(probe_inside(f, "cwd") == f.wafer.mountpoint.native() + "\n");
  // Found by the mount table alone, whose escapes have to be understood.
  const auto record = f.wafer.mount;
  f.wafer.mount.reset();
  CHECK(f.backend->mount(f.wafer).process == record->process);
  f.wafer.mount = record;
  f.backend->unmount(f.wafer);
  CHECK(f.state().status == WaferStatus::unmounted);
}

TEST_CASE("long paths") {
  MountFixture f(kKind, "/" + std::string(200, 'x') + "/" + std::string(200, 'y') + "/" +
                            std::string(200, 'z') + "/" + std::string(200, 'u') + "/" +
                            std::string(200, 'v') + "/" + std::string(200, 'w'));
  f.mount();
  CHECK(test::read_file(f.view("file")) == "from the base");
}

TEST_CASE("an upper is never mounted twice") {
  MountFixture f(kKind);
  f.mount();

  SECTION("by whoever tries to: the kernel refuses") {
    const TempDir elsewhere;
    const OverlaySpec spec{{f.base}, f.wafer.upper(), elsewhere.path(), elsewhere.path(), "x"};
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    const auto failure = run_in_child([&] {
      unshare_user_and_mount();
      map_own_ids(uid, gid);
      mount_overlay(spec);
    });
    REQUIRE(failure);
    CHECK(failure->errnum == EBUSY);
  }
  SECTION("by a second mount: it is the same one") {
    const MountRecord again = f.backend->mount(f.wafer);
    CHECK(again.process == f.wafer.mount->process);
  }
  SECTION("by a wafers that lost the record: the holder is found again") {
    const auto record = f.wafer.mount;
    f.wafer.mount.reset();
    const MountRecord again = f.backend->mount(f.wafer);
    CHECK(again.process == record->process);
    CHECK(again.mnt_ns == record->mnt_ns);
    CHECK(again.device == record->device);
    f.wafer.mount = record;
  }
}

TEST_CASE("unmounting without a record finds the holder and ends it") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd holder = open_pidfd(f.wafer.mount->process->pid);
  Wafer unrecorded = f.wafer;
  unrecorded.mount.reset();
  f.backend->unmount(unrecorded);
  CHECK(has_ended(holder.get()));
}

TEST_CASE("a killed holder with nobody inside loses nothing") {
  MountFixture f(kKind);
  f.mount();
  write_file(f.view("new"), "new");
  const MountRecord first = *f.wafer.mount;
  kill_and_wait(first.process->pid);
  CHECK(f.state().status == WaferStatus::unmounted);
  CHECK(f.backend->occupants(f.wafer).empty());
  f.mount();  // at once: the kernel may still be taking the old mount down
  CHECK(f.wafer.mount->process != first.process);
  CHECK(test::read_file(f.view("new")) == "new");
}

TEST_CASE("a killed holder with a survivor inside") {
  MountFixture f(kKind);
  f.mount();
  const MountRecord first = *f.wafer.mount;
  Lodger survivor = Lodger::inside(f, {"wait"});
  kill_and_wait(first.process->pid);

  SECTION("the view is still mounted, without a holder") {
    const MountState state = f.state();
    CHECK(state.status == WaferStatus::mounted);
    CHECK_FALSE(state.holder_pid);
    CHECK(state.mnt_ns == "/proc/" + std::to_string(survivor.pid()) + "/ns/mnt");
    CHECK(test::read_file(f.view("file")) == "from the base");
    CHECK(state.host_path == "/proc/" + std::to_string(survivor.pid()) + "/root" +
                                 second_view_of(f.wafer.directory).native());
    CHECK(probe_inside(f, "ns").find(std::to_string(*first.mnt_ns)) != std::string::npos);
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{survivor.pid()});
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
  }
  SECTION("mounting gives it a new holder in the same namespaces") {
    f.mount();
    CHECK(f.wafer.mount->process != first.process);
    CHECK(f.wafer.mount->user_ns == first.user_ns);
    CHECK(f.wafer.mount->mnt_ns == first.mnt_ns);
    CHECK(f.wafer.mount->device == first.device);
    CHECK(f.state().holder_pid == f.wafer.mount->process->pid);
    survivor.leave();
    CHECK(f.state().status == WaferStatus::mounted);
    CHECK(status_mask(f.wafer.mount->process->pid, "CapBnd:\t") == kHolderCapabilities);
  }
  SECTION("without a record as well") {
    f.wafer.mount.reset();
    f.mount();
    CHECK(f.wafer.mount->mnt_ns == first.mnt_ns);
  }
}

TEST_CASE("a reused pid is not taken for the holder") {
  MountFixture f(kKind);
  f.mount();
  CHECK(f.state().status == WaferStatus::mounted);
  const MountRecord real = *f.wafer.mount;
  f.backend->unmount(f.wafer);

  Lodger stranger = Lodger::outside({"wait"});
  f.wafer.mount = real;
  f.wafer.mount->process = ProcessId{stranger.pid(), real.process->start_ticks - 1};
  CHECK(f.state().status == WaferStatus::unmounted);
  f.backend->unmount(f.wafer);
  CHECK(read_process_stat(stranger.pid())->alive());

  SECTION("nor is one with the recorded start time that is no holder") {
    f.wafer.mount->process->start_ticks = read_process_stat(stranger.pid())->start_ticks;
    f.wafer.mount->device.reset();
    CHECK(f.state().status == WaferStatus::unmounted);
    f.backend->unmount(f.wafer);
    CHECK(read_process_stat(stranger.pid())->alive());
  }
  SECTION("nor is a process of another boot") {
    f.wafer.mount->process->start_ticks = read_process_stat(stranger.pid())->start_ticks;
    f.wafer.mount->device.reset();
    f.wafer.mount->boot_id = "00000000-0000-0000-0000-000000000000";
    CHECK(f.state().status == WaferStatus::unmounted);
  }
  f.wafer.mount.reset();
}

TEST_CASE("the holder is small, idle and tied to nothing") {
  MountFixture f(kKind);
  f.mount();
  const pid_t pid = f.wafer.mount->process->pid;

  CHECK_FALSE(has_child());  // neither the holder nor a zombie is ours
  CHECK(read_process_stat(pid)->parent != ::getpid());
  CHECK(read_process_stat(pid)->comm == "wafers-holder");
  std::string words{"wafers-holder\0a1\0", 17};
#ifdef WAFERS_HOLDER_IS_STATIC
  for (const auto& path : {f.wafer.mountpoint, f.wafer.directory}) words += path.native() + '\0';
#endif
  CHECK(proc_file(pid, "cmdline") == words);
  CHECK(proc_file(pid, "environ").empty());
  CHECK(fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd") == "/");
  CHECK(::getsid(pid) == pid);
  CHECK(::getsid(pid) != ::getsid(0));
  std::map<std::string, std::string> fds;
  for (const auto& fd : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    fds[fd.path().filename()] = fs::read_symlink(fd.path());
  }
  CHECK(fds == std::map<std::string, std::string>{{"0", "/dev/null"},
                                                  {"1", "/dev/null"},
                                                  {"2", "/dev/null"},
                                                  {"4", "anon_inode:[signalfd]"},
                                                  {"5", fs::canonical(find_holder().value())}});
  for (const char* set : {"CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t"}) {
    CHECK(status_mask(pid, set) == kHolderCapabilities);
  }
  CHECK(status_mask(pid, "SigBlk:\t") == 1U << (SIGTERM - 1U));
  CHECK(number_of(pid, "oom_score_adj", "") <= 0);
#ifdef WAFERS_HOLDER_IS_STATIC
  CHECK(number_of(pid, "status", "SigCgt:\t") == 0);  // the other one may be a sanitizer's
  CHECK(number_of(pid, "smaps_rollup", "Private_Clean:") +
            number_of(pid, "smaps_rollup", "Private_Dirty:") <=
        100);
#endif
}

TEST_CASE("the holder ends on SIGTERM, and on nothing that comes with it") {
  MountFixture f(kKind);
  f.mount();
  const auto& process = *f.wafer.mount->process;
  const UniqueFd holder = open_pidfd(process.pid);
  for (const int signal : {SIGHUP, SIGSTOP, SIGCONT}) send_signal(holder.get(), signal);
  CHECK_FALSE(wait_for_end(holder.get(), std::chrono::milliseconds(100)));
  CHECK_FALSE(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks));
  send_signal(holder.get(), SIGTERM);
  CHECK(wait_for_end(holder.get(), std::chrono::seconds(60)));
  CHECK(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks));
  CHECK_FALSE(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks + 1));
}

TEST_CASE("host_path leads nowhere outside, but to the view as long as it is taken literally") {
  MountFixture f(kKind);
  f.mount();
  const fs::path host_path = f.state().host_path.value();
  std::error_code error;
  CHECK(fs::canonical(host_path, error).empty());
  CHECK(error == std::errc::not_a_directory);
  // What its mountpoint resolves to is there, and somebody could write to it.
  CHECK(fs::canonical(at_mountpoint(f)) == f.wafer.mountpoint);
  const auto failure = run_in_child([&] {
    fs::current_path(host_path);
    write_file("relative", "written");
    const fs::path here = fs::current_path();
    std::error_code made;
    fs::create_directories(here / "a/b", made);
    if (made != std::errc::not_a_directory) throw std::runtime_error("made: " + made.message());
    if (::open((here / "x").c_str(), O_WRONLY | O_CREAT, 0600) >= 0 || errno != ENOTDIR) {
      throw std::runtime_error("written");
    }
    fs::current_path("..");
    if (::open("x", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS) {
      throw std::runtime_error("written beside it");
    }
  });
  if (failure) FAIL(failure->doing);
  CHECK(test::read_file(f.wafer.upper() / "relative") == "written");
  CHECK(test::read_file(at_mountpoint(f) / "relative") == "written");
}

TEST_CASE("a view is busy by who uses either of its mounts from outside, and keeps both") {
  MountFixture f(kKind);
  f.mount();
  const fs::path host_path = f.state().host_path.value();
  const fs::path used = GENERATE(true, false) ? host_path : at_mountpoint(f);
  // Of the base: with base and upper on two file systems, the mount alone tells whose it is.
  const fs::path below = GENERATE("", "dir", "file");
  CAPTURE(used, below);
  Lodger lodger = Lodger::outside({"hold", used / below});
  CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
  CHECK(kind_of_error([&] { f.backend->unmount_for_good(f.wafer); }) == ErrorKind::busy);
  CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
  CHECK(f.state().host_path == host_path);
  CHECK(test::read_file(host_path / "file") == "from the base");
  CHECK(test::read_file(at_mountpoint(f) / "file") == "from the base");
  lodger.leave();
  CHECK(f.backend->occupants(f.wafer).empty());
  f.backend->unmount(f.wafer);
  CHECK(f.state().status == WaferStatus::unmounted);
  f.mount();  // the upper is free
}

TEST_CASE("who stands beside host_path uses no view") {
  MountFixture f(kKind);
  f.mount();
  const Lodger lodger = Lodger::outside({"hold", f.state().host_path->parent_path()});
  CHECK(f.backend->occupants(f.wafer).empty());
  f.backend->unmount(f.wafer);
  f.mount();
  CHECK(test::read_file(f.view("file")) == "from the base");
}

TEST_CASE("a view that an earlier version has mounted is reached at its mountpoint, as ever") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd holder = open_pidfd(f.wafer.mount->process->pid);
  const bool without_place = GENERATE(true, false);
  const auto failure = run_in_child([&] {
    enter_user_and_mount_of(holder.get());
    const fs::path second = second_view_of(f.wafer.directory);
    unmount(second);
    if (without_place) unmount_lazily(second.parent_path().parent_path());
  });
  REQUIRE_FALSE(failure);
  CHECK(f.state().host_path == at_mountpoint(f));
  CHECK(test::read_file(f.view("file")) == "from the base");
  SECTION("and is busy and unmounted as ever") {
    Lodger lodger = Lodger::outside({"hold", f.view("file")});
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
    lodger.leave();
    f.backend->unmount(f.wafer);
    CHECK(has_ended(holder.get()));
    f.mount();
    CHECK(f.state().host_path != at_mountpoint(f));
  }
  SECTION("and ends by itself as ever") {
    send_signal(holder.get(), SIGTERM);
    CHECK(wait_for_end(holder.get(), std::chrono::seconds(60)));
    const auto& process = *f.wafer.mount->process;
    CHECK(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks));
  }
}

TEST_CASE("a holder that is asked to end waits also for who has a file of the view open outside") {
  MountFixture f(kKind);
  f.mount();
  const fs::path used = GENERATE(true, false) ? f.state().host_path.value() : at_mountpoint(f);
  const auto& process = *f.wafer.mount->process;
  const UniqueFd holder = open_pidfd(process.pid);
  UniqueFd file(::open((used / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(file);
  send_signal(holder.get(), SIGTERM);
  CHECK_FALSE(wait_for_end(holder.get(), std::chrono::milliseconds(300)));
  CHECK(f.state().status == WaferStatus::mounted);
  CHECK_FALSE(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks));
  file.reset();
  CHECK(wait_for_end(holder.get(), std::chrono::seconds(60)));
  CHECK(has_clean_end(f.wafer.directory, boot_id(), process.pid, process.start_ticks));
}

TEST_CASE("who is inside gets none of the holder's capabilities") {
  MountFixture f(kKind);
  f.mount();
  const std::string holder = "/proc/" + std::to_string(f.wafer.mount->process->pid);
  const auto failure = run_in_child([&] {
    f.found()->enter();
    drop_all_capabilities();
    // What ptrace(2) is refused by as well: the same check decides on both.
    if (::access((holder + "/root/").c_str(), F_OK) == 0) throw std::runtime_error("root");
    if (UniqueFd(::open((holder + "/mem").c_str(), O_RDWR | O_CLOEXEC))) {
      throw std::runtime_error("memory");
    }
    if (f.backend->state(f.wafer).host_path != f.wafer.mountpoint) throw std::runtime_error("path");
  });
  if (failure) FAIL(failure->doing);
}

TEST_CASE("what a process inside is and has") {
  MountFixture f(kKind);
  f.mount();
  CHECK(probe_inside(f, "ids") == probe_outside("ids"));
  CHECK(probe_inside(f, "session").substr(0, 2) == probe_outside("session").substr(0, 2));
  CHECK(probe_inside(f, "fds").find("/dev/fuse") == std::string::npos);
  const std::string fds_inside = probe_inside(f, "fds");
  const std::string fds_outside = probe_outside("fds");
  CHECK(std::count(fds_inside.begin(), fds_inside.end(), '\n') ==
        std::count(fds_outside.begin(), fds_outside.end(), '\n'));

  const std::string none = "0000000000000000";
  CHECK(probe_inside(f, "caps") == "CapInh:\t" + none + "\nCapPrm:\t" + none + "\nCapEff:\t" +
                                       none + "\nCapBnd:\t" + none + "\nCapAmb:\t" + none + "\n");
  // By its place: another mount of the machine may bear the name.
  const std::string view = " " + f.wafer.mountpoint.native() + " rw";
  CHECK_THAT(probe_inside(f, "mounts"), Contains(view));
  CHECK_THAT(probe_outside("mounts"), !Contains(view));
  CHECK(probe_inside(f, "cwd") != probe_outside("cwd"));
  CHECK(probe_inside(f, "ns") != probe_outside("ns"));
  CHECK_THAT(probe_inside(f, "ns"),
             Contains("user:[" + std::to_string(*f.wafer.mount->user_ns) + "]"));
  CHECK_THAT(probe_inside(f, "ns"), Contains("mnt:[" + std::to_string(*f.wafer.mount->mnt_ns)));
}

TEST_CASE("entering keeps the working directory") {
  MountFixture f(kKind);
  f.mount();
  const auto failure = run_in_child([&] {
    fs::current_path(f.mountpoints);
    f.found()->enter();
    if (fs::current_path() != f.mountpoints) throw std::runtime_error("it was changed");
    if (test::read_file("a1/file") != "from the base") throw std::runtime_error("not in the view");
  });
  CHECK_FALSE(failure);
}

TEST_CASE("nobody unmounts the view of a process that has entered, wherever it stands") {
  MountFixture f(kKind);
  f.mount();
  Pipe entered = make_pipe();
  Pipe done = make_pipe();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    entered.reader.reset();
    done.writer.reset();
    try {
      f.found()->enter();
    } catch (const Error&) {
      ::_exit(1);
    }
    entered.writer.reset();
    read_to_end(done.reader.get());
    ::_exit(0);
  }
  entered.writer.reset();
  read_to_end(entered.reader.get());
  const UniqueFd holder = open_pidfd(f.wafer.mount->process->pid);
  const auto failure = run_in_child([&] {
    enter_user_and_mount_of(holder.get());
    unmount(f.wafer.mountpoint);
  });
  done.writer.reset();
  CHECK(wait_for_child(pid).code == 0);
  REQUIRE(failure);
  CHECK(failure->errnum == EBUSY);
}

TEST_CASE("entering from inside") {
  MountFixture f(kKind);
  f.mount();
  MountFixture other(kKind);
  other.mount();
  SECTION("the same wafer: nothing to do") {
    const auto failure = run_in_child([&] {
      f.found()->enter();
      f.found()->enter();
    });
    CHECK_FALSE(failure);
  }
  SECTION("another wafer: refused, with a reason") {
    const auto failure = run_in_child([&] {
      f.found()->enter();
      other.found()->enter();
    });
    REQUIRE(failure);
    CHECK_THAT(failure->doing, Contains("cannot enter wafer 'a1'"));
  }
  SECTION("both are seen to be mounted from inside") {
    const auto failure = run_in_child([&] {
      f.found()->enter();
      if (f.state().status != WaferStatus::mounted) throw std::runtime_error("not this one");
      if (other.state().status != WaferStatus::mounted) throw std::runtime_error("not the other");
    });
    CHECK_FALSE(failure);
  }
}

TEST_CASE("unmounting") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd holder = open_pidfd(f.wafer.mount->process->pid);

  SECTION("ends the holder, and once more is fine") {
    f.backend->unmount(f.wafer);
    CHECK(has_ended(holder.get()));
    CHECK(f.state().status == WaferStatus::unmounted);
    f.backend->unmount(f.wafer);
    f.wafer.mount.reset();
    f.backend->unmount(f.wafer);
  }
  SECTION("frees the upper at once") {
    for (int round = 0; round < 20; ++round) {
      f.backend->unmount(f.wafer);
      f.mount();
    }
    CHECK(f.state().status == WaferStatus::mounted);
  }
  SECTION("for good ends the holder as well, and loses nothing") {
    write_file(f.view("new"), "new");
    f.backend->unmount_for_good(f.wafer);
    CHECK(has_ended(holder.get()));
    CHECK(f.state().status == WaferStatus::unmounted);
    CHECK_FALSE(fs::exists(f.wafer.mountpoint / "new"));
    f.mount();
    CHECK(test::read_file(f.view("new")) == "new");
  }
  SECTION("leaves what is kept as a working directory alive") {
    const auto failure = run_in_child([&] {
      enter_user_and_mount_of(holder.get());
      keep_as_working_directory(f.wafer.mountpoint);
      wafers::unmount(f.wafer.mountpoint);
      if (test::read_file("file") != "from the base") throw Error(ErrorKind::failed, "it is gone");
    });
    CHECK_FALSE(failure);
    f.backend->unmount(f.wafer);
    CHECK(has_ended(holder.get()));
  }
  SECTION("for good is refused while a file is open") {
    const Lodger lodger = Lodger::outside({"hold", f.view("file")});
    CHECK(kind_of_error([&] { f.backend->unmount_for_good(f.wafer); }) == ErrorKind::busy);
    CHECK(test::read_file(f.view("file")) == "from the base");
  }
  SECTION("is refused while a process is inside, whatever its directory") {
    const Lodger lodger = Lodger::inside(f, {"wait"});
    std::string message;
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }, &message) == ErrorKind::busy);
    CHECK_THAT(message, Contains(std::to_string(lodger.pid())) && Contains("wait"));
    CHECK_FALSE(has_ended(holder.get()));
    CHECK(test::read_file(f.view("file")) == "from the base");
  }
  SECTION("is refused while a sandbox made inside lives") {
    const Lodger lodger = Lodger::inside(f, {"sandbox"});
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
  }
  SECTION("is refused while somebody outside has a file of it open") {
    const Lodger lodger = Lodger::outside({"hold", f.view("file")});
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
  }
  SECTION("is refused while somebody outside has a file of it mapped") {
    write_file(f.view("mapped"), "mapped");
    const Lodger lodger = Lodger::outside({"hold-mapped", f.view("mapped")});
    CHECK(kind_of_error([&] { f.backend->unmount(f.wafer); }) == ErrorKind::busy);
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{lodger.pid()});
  }
}

TEST_CASE("the caller's own shell inside counts as an occupant, the caller doesn't") {
  MountFixture f(kKind);
  f.mount();
  const auto failure = run_in_child([&] {
    f.found()->enter();
    ::prctl(PR_SET_DUMPABLE, 1);  // as execve(2) does: others of the same user may look at it
    if (!f.backend->occupants(f.wafer).empty()) throw std::runtime_error("it counts itself");
    const pid_t shell = ::getpid();
    const auto of_child = run_in_child([&] {
      if (pids_of(f.backend->occupants(f.wafer)) != std::vector{shell}) {
        throw std::runtime_error("it doesn't count the shell alone");
      }
    });
    if (of_child) throw of_child->error();
  });
  INFO((failure ? failure->doing : ""));
  CHECK_FALSE(failure);
}

TEST_CASE("a mount that fails says at which step, and leaves nothing") {
  MountFixture f(kKind);
  f.wafer.layers = {f.base / "missing"};
  try {
    f.mount();
    FAIL("mounted without a base");
  } catch (const Error& error) {
    CHECK(error.errnum() == ENOENT);
    CHECK_THAT(error.message(), Contains("cannot mount an overlay on") && Contains("(ENOENT)"));
  }
  CHECK_FALSE(has_child());
  CHECK(f.state().status == WaferStatus::unmounted);
}

TEST_CASE("a base that was made anew is mounted all the same") {
  MountFixture f(kKind);
  f.mount();
  write_file(f.view("new"), "new");
  f.backend->unmount(f.wafer);
  fs::rename(f.base, f.base.native() + ".old");
  fs::create_directories(f.base);
  write_file(f.base / "file", "from another base");
  f.mount();
  CHECK(test::read_file(f.view("file")) == "from another base");
  CHECK(test::read_file(f.view("new")) == "new");
}

TEST_CASE("an upper whose origin is forgotten is mounted with a new work directory") {
  MountFixture f(kKind);
  f.mount();
  fs::remove(f.view("deleted"));
  f.backend->unmount(f.wafer);
  forget_origin(f.wafer.upper());
  remove_tree(f.wafer.work());
  fs::create_directory(f.wafer.work());
  f.mount();
  CHECK_FALSE(fs::exists(f.view("deleted")));
}

TEST_CASE("a mount that goes outside goes in the holder's namespace too") {
  const TempDir temp;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const auto failure = run_in_child([&] {
    unshare_user_and_mount();
    map_own_ids(uid, gid);
    // As systemd has it: shared. Only then is there a way for an unmount to go in.
    ::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
    ::mount("outside", temp.path().c_str(), "tmpfs", 0, nullptr);
    MountFixture f(kKind);
    f.mount();
    const auto seen_by_holder = [&] {
      return find_mount(mount_table_of(f.wafer.mount->process->pid), temp.path()).has_value();
    };
    if (!seen_by_holder()) throw std::runtime_error("it was not there to begin with");
    unmount(temp.path());
    if (seen_by_holder()) throw std::runtime_error("the holder keeps it busy");
  });
  if (failure) FAIL(failure->doing);
}

TEST_CASE("a trial without its helper program says so") {
  const TempDir state;
  ::setenv("WAFERS_HOLDER", "/nonexistent/holder", 1);
  const Trial trial = make_backend(kKind)->trial(state.path(), MountMode::volatile_);
  ::setenv("WAFERS_HOLDER", WAFERS_TEST_HOLDER, 1);
  CHECK_FALSE(trial.works);
  CHECK_THAT(trial.reason, Contains("wafers-holder"));
}
