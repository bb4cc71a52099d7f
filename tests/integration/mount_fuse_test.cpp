#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "integration/mount_fixture.h"
#include "linux/namespaces.h"
#include "os/child.h"
#include "os/files.h"
#include "os/process.h"
#include "support/catch.h"
#include "support/needs.h"

using namespace wafers;
using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const Need kNeedsFuse("the fuse backend", []() -> std::optional<std::string> {
  const TempDir state;
  const Trial trial = make_backend(BackendKind::fuse)->trial(state.path(), MountMode::volatile_);
  return trial.works ? std::nullopt : std::optional(trial.reason);
});

constexpr auto kKind = BackendKind::fuse;

/// A mount namespace of its own, with a copy of every mount that nobody outside takes away.
class MountCopies {
 public:
  MountCopies() {
    const Pipe ready = make_pipe();
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool done = ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
                        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
      write_all(ready.writer.get(), done ? "done" : "fail");
      ::pause();
      ::_exit(EXIT_SUCCESS);
    }
    std::array<char, 4> answer{};
    REQUIRE(::read(ready.reader.get(), answer.data(), answer.size()) == 4);
    REQUIRE(std::string_view(answer.data(), 4) == "done");
  }
  MountCopies(const MountCopies&) = delete;
  MountCopies& operator=(const MountCopies&) = delete;
  ~MountCopies() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = -1;
};

std::string without_colons(std::string text) {
  std::replace(text.begin(), text.end(), ':', ';');
  return text;
}

}  // namespace

BackendKind wafers::test::suite_backend() { return kKind; }

TEST_CASE("odd characters in base, state directory and mountpoint") {
  const std::string odd = GENERATE(from_range(odd_names()));
  CAPTURE(odd);
  MountFixture f(kKind, odd, without_colons(odd));
  f.mount();
  CHECK(test::read_file(f.wafer.mountpoint / "file") == "from the base");
  write_file(f.wafer.mountpoint / "new", "new");
  CHECK(test::read_file(f.wafer.upper() / "new") == "new");
  f.backend->unmount(f.wafer);
  CHECK(f.state().status == WaferStatus::unmounted);
  CHECK_FALSE(fs::exists(f.wafer.mountpoint / "file"));
}

TEST_CASE("a colon in the state directory is refused in words, not by a wrong mount") {
  MountFixture f(kKind, "", "a:b");
  try {
    f.mount();
    FAIL("mounted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::unsupported);
    CHECK_THAT(error.hint(), Contains("WAFERS_STATE_DIR"));
  }
  CHECK_FALSE(make_backend(kKind)->trial(f.state_dir, MountMode::volatile_).works);
}

TEST_CASE("an upper is never served twice") {
  MountFixture f(kKind);
  f.mount();
  SECTION("by a second mount: it is the same one") {
    CHECK(f.backend->mount(f.wafer).process == f.wafer.mount->process);
  }
  SECTION("elsewhere, without a record: refused") {
    Wafer elsewhere = f.wafer;
    elsewhere.mount.reset();
    elsewhere.mountpoint = f.make_wafer("elsewhere").mountpoint;
    CHECK_THROWS_WITH(f.backend->mount(elsewhere), Contains("another fuse-overlayfs"));
  }
}

TEST_CASE("a server that is about to end is waited for") {
  MountFixture f(kKind);
  const auto open_upper = [&] {
    return UniqueFd(::open(f.wafer.upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  };
  UniqueFd held = open_upper();
  REQUIRE(::flock(held.get(), LOCK_EX | LOCK_NB) == 0);
  const UniqueFd opened(::inotify_init1(IN_CLOEXEC));
  REQUIRE(::inotify_add_watch(opened.get(), f.wafer.upper().c_str(), IN_OPEN) >= 0);
  std::thread server([&] {
    inotify_event event{};
    std::ignore = ::read(opened.get(), &event, sizeof event);
    held.reset();
  });
  CHECK_NOTHROW(f.mount());
  open_upper();  // for a mount that failed before it came to that
  server.join();
  CHECK(test::read_file(f.wafer.mountpoint / "file") == "from the base");
}

TEST_CASE("servers of several wafers are told apart") {
  MountFixture one(kKind);
  MountFixture two(kKind);
  one.mount();
  two.mount();
  CHECK(one.wafer.mount->process != two.wafer.mount->process);
  one.backend->unmount(one.wafer);
  CHECK(two.state().status == WaferStatus::mounted);
  CHECK(test::read_file(two.wafer.mountpoint / "file") == "from the base");
  two.backend->unmount(two.wafer);
}

TEST_CASE("a killed server loses nothing") {
  MountFixture f(kKind);
  f.mount();
  write_file(f.wafer.mountpoint / "new", "new");
  kill_and_wait(f.wafer.mount->process->pid);
  CHECK(f.state().status == WaferStatus::unmounted);
  SECTION("the next mount just works") {
    f.mount();
    CHECK(test::read_file(f.wafer.mountpoint / "new") == "new");
  }
  SECTION("unmounting clears the mountpoint") {
    f.backend->unmount(f.wafer);
    CHECK(fs::is_empty(f.wafer.mountpoint));
  }
}

TEST_CASE("the server belongs to no terminal and is no child of ours") {
  MountFixture f(kKind);
  f.mount();
  CHECK_FALSE(has_child());
  const pid_t pid = f.wafer.mount->process->pid;
  CHECK(::getsid(pid) == pid);
  CHECK(fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd") == "/");
  CHECK(fs::read_symlink("/proc/" + std::to_string(pid) + "/fd/2") == "/dev/null");
}

TEST_CASE("unmounting") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd server = open_pidfd(f.wafer.mount->process->pid);
  SECTION("ends the server, and once more is fine") {
    f.backend->unmount(f.wafer);
    CHECK(has_ended(server.get()));
    CHECK(f.state().status == WaferStatus::unmounted);
    f.backend->unmount(f.wafer);
    f.wafer.mount.reset();
    f.backend->unmount(f.wafer);
  }
}

TEST_CASE("a server is ended with its view, though a copy of the mount lives on elsewhere") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd server = open_pidfd(f.wafer.mount->process->pid);
  const MountCopies copies;
  SECTION("a recorded one") {}
  SECTION("one of a wafers that was killed before it wrote a record") { f.wafer.mount.reset(); }
  f.backend->unmount(f.wafer);
  CHECK(has_ended(server.get()));
  f.mount();
  CHECK(test::read_file(f.wafer.mountpoint / "file") == "from the base");
}

TEST_CASE("a view without a record is not taken from those inside") {
  MountFixture f(kKind);
  f.mount();
  const UniqueFd server = open_pidfd(f.wafer.mount->process->pid);
  const Lodger lodger = Lodger::inside(f, {"wait"});
  Wafer unrecorded = f.wafer;
  unrecorded.mount.reset();
  CHECK_THROWS_WITH(f.backend->unmount(unrecorded),
                    Contains("is in use") && Contains(std::to_string(lodger.pid())));
  CHECK_FALSE(has_ended(server.get()));
  CHECK(test::read_file(f.wafer.mountpoint / "file") == "from the base");
}

TEST_CASE("what is written through the view is in the upper after a flush") {
  MountFixture f(kKind);
  write_file(f.base / "mapped", "before");
  f.mount();
  SECTION("through a mapping of a file with a newline in its name") {
    write_file(f.wafer.mountpoint / "new\nline", "before");
    const Lodger writer = Lodger::inside(f, {"write-mapped", "new\nline"});
    f.found()->flush();
    CHECK(test::read_file(f.wafer.upper() / "new\nline") == "mapped");
  }
  SECTION("by write(2): even without one") {
    write_file(f.wafer.mountpoint / "file", "written");
    CHECK(test::read_file(f.wafer.upper() / "file") == "written");
  }
}

namespace {

/// What a call throws that must not wait for a stopped server.
std::string words_of_busy(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::busy);
    return error.message() + "; " + error.hint();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a stopped server is not waited for") {
  MountFixture f(kKind);
  write_file(f.base / "mapped", "before");
  f.mount();
  const pid_t pid = f.wafer.mount->process->pid;
  const UniqueFd server = open_pidfd(pid);
  const std::string let_go = "kill -CONT " + std::to_string(pid);
  SECTION("where somebody is inside, and nothing is lost") {
    const Lodger writer = Lodger::inside(f, {"write-mapped", "mapped"});
    ::kill(pid, SIGSTOP);
    CHECK_THAT(words_of_busy([&] { f.found()->flush(); }), Contains(let_go));
    CHECK_THAT(words_of_busy([&] { f.found()->require_answer(); }), Contains(let_go));
    CHECK(pids_of(f.backend->occupants(f.wafer)) == std::vector{writer.pid()});
    CHECK_THAT(words_of_busy([&] { f.backend->unmount(f.wafer); }),
               Contains(std::to_string(writer.pid())));
    CHECK(f.state().status == WaferStatus::mounted);
    ::kill(pid, SIGCONT);
    CHECK_NOTHROW(f.found()->require_answer());
    f.found()->flush();
    CHECK(test::read_file(f.wafer.upper() / "mapped") == "mapped");
  }
  SECTION("unmounting ends it") {
    ::kill(pid, SIGSTOP);
    f.backend->unmount(f.wafer);
    CHECK(has_ended(server.get()));
    CHECK(f.state().status == WaferStatus::unmounted);
  }
  SECTION("a view without a record is unmounted as well") {
    ::kill(pid, SIGSTOP);
    f.wafer.mount.reset();
    f.backend->unmount(f.wafer);
    CHECK(has_ended(server.get()));
  }
  SECTION("stopped in the midst of it, when it can't be given up any more") {
    ::kill(pid, SIGSTOP);
    const pid_t other = ::fork();
    if (other == 0) {
      ::usleep(300'000);
      ::kill(pid, SIGCONT);
      ::_exit(0);
    }
    CHECK_NOTHROW(f.found()->flush());  // it goes on in time
    ::waitpid(other, nullptr, 0);
  }
}

TEST_CASE("what takes a server's name and holds a file of a stopped one is not waited for") {
  MountFixture f(kKind);
  MountFixture other(kKind);
  f.mount();
  other.mount();
  const pid_t impostor = ::fork();
  if (impostor == 0) {
    ::prctl(PR_SET_NAME, "fuse-overlayfs");
    ::dup2(::open((f.wafer.mountpoint / "file").c_str(), O_WRONLY), 3);
    std::ignore = ::write(3, "x", 1);  // what the kernel knew of the file is out of date
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  ::waitpid(impostor, nullptr, WUNTRACED);
  ::kill(f.wafer.mount->process->pid, SIGSTOP);
  other.wafer.mount.reset();
  other.backend->unmount(other.wafer);  // looks for its server by name and descriptor
  CHECK(other.state().status == WaferStatus::unmounted);
  ::kill(f.wafer.mount->process->pid, SIGCONT);
  ::kill(impostor, SIGKILL);
  ::waitpid(impostor, nullptr, 0);
  f.backend->unmount(f.wafer);
}

TEST_CASE("the caller's privileges are the same inside") {
  MountFixture f(kKind);
  f.mount();
  CHECK(probe_inside(f, "caps") == probe_outside("caps"));
  CHECK(probe_inside(f, "ids") == probe_outside("ids"));
  CHECK(probe_inside(f, "ns") == probe_outside("ns"));  // no namespaces, unlike the other backend
  CHECK_THAT(probe_inside(f, "fds"), !Contains("upper"));
}

TEST_CASE("a trial without fuse-overlayfs says so") {
  const TempDir state;
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", state.path().c_str(), 1);
  const Trial trial = make_backend(kKind)->trial(state.path(), MountMode::volatile_);
  ::setenv("PATH", path.c_str(), 1);
  CHECK_FALSE(trial.works);
  CHECK_THAT(trial.reason, Contains("fuse-overlayfs"));
  CHECK_THAT(trial.hint, Contains("install"));
}
