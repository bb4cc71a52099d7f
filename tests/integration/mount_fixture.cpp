#include "integration/mount_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "base/error.h"
#include "linux/upper.h"
#include "os/files.h"
#include "os/process.h"
#include "support/run.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// The suites don't lie where the installed program or that of the build tree would.
[[maybe_unused]] const int kHolderIsSet = ::setenv("WAFERS_HOLDER", WAFERS_TEST_HOLDER, 0);

/// In a child: goes where `wafers exec` goes, and becomes the probe. Leaves by exec or _exit.
[[noreturn]] void become_probe(const MountFixture* fixture,
                               const std::vector<std::string>& command) noexcept {
  try {
    if (fixture != nullptr) {
      fixture->found()->enter();
      fs::current_path(fixture->wafer.mountpoint);
    }
    std::vector<std::string> words{WAFERS_INSIDE};
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(argv.front(), argv.data());
  } catch (const std::exception& error) {
    ::write(STDERR_FILENO, error.what(), std::string_view(error.what()).size());
  }
  ::_exit(EXIT_FAILURE);
}

struct Child {
  pid_t pid = -1;
  UniqueFd input;
  UniqueFd output;
};

Child start_probe(const MountFixture* fixture, const std::vector<std::string>& command) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(input.reader.get(), STDIN_FILENO);
    ::dup2(output.writer.get(), STDOUT_FILENO);
    become_probe(fixture, command);
  }
  return {pid, std::move(input.writer), std::move(output.reader)};
}

std::string output_of_probe(const MountFixture* fixture, const std::string& command) {
  Child child = start_probe(fixture, {command});
  child.input.reset();
  std::string text = read_to_end(child.output.get());
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  if (status != 0) throw std::runtime_error("the probe " + command + " failed");
  return text;
}

}  // namespace

MountFixture::MountFixture(BackendKind kind, const std::string& odd)
    : MountFixture(kind, odd, odd) {}

MountFixture::MountFixture(BackendKind kind, const std::string& odd, const std::string& odd_state)
    : base(temp_ / ("base" + odd)),
      state_dir(temp_ / ("state" + odd_state)),
      mountpoints(temp_ / ("mnt" + odd)),
      backend(make_backend(kind)) {
  fs::create_directories(base / "dir");
  fs::create_directories(state_dir);
  fs::create_directories(mountpoints);
  write_file(base / "file", "from the base");
  write_file(base / "deleted", "from the base");
  write_file(base / "dir/file", "from the base");
  wafer = make_wafer("a1");
  wafer.backend = kind;
  wafer.dialect = kind == BackendKind::fuse ? UpperDialect::fuse : UpperDialect::kernel_user;
}

MountFixture::~MountFixture() {
  const MountState left = backend->state(wafer);
  if (left.holder_pid) ::kill(*left.holder_pid, SIGKILL);
  if (wafer.backend == BackendKind::namespace_) return;
  const bool unmounted = ::umount2(wafer.mountpoint.c_str(), MNT_DETACH) == 0;
  // A user may unmount by fusermount3 alone.
  if (!unmounted && wafer.backend == BackendKind::fuse) {
    run({"fusermount3", "-q", "-u", "-z", wafer.mountpoint});
  }
}

std::unique_ptr<MountedView> MountFixture::found() const {
  auto view = backend->find(wafer);
  if (!view) throw not_mounted(wafer);
  return view;
}

Wafer MountFixture::make_wafer(const std::string& name) const {
  Wafer made;
  made.name = name;
  made.checkout = base;
  made.layers = {made.checkout};
  made.directory = state_dir / name;
  made.mountpoint = mountpoints / name;
  made.volatile_boot = boot_id();  // as nearly all real ones
  for (const fs::path& path : {made.upper(), made.work(), made.mountpoint}) {
    fs::create_directories(path);
  }
  return made;
}

fs::path MountFixture::view(const std::string& path) const {
  const auto host_path = state().host_path;
  if (!host_path) throw std::runtime_error("the view is not mounted");
  return *host_path / path;
}

bool is_whiteout(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

std::string probe_inside(const MountFixture& fixture, const std::string& command) {
  return output_of_probe(&fixture, command);
}

std::string probe_outside(const std::string& command) { return output_of_probe(nullptr, command); }

Lodger::Lodger(const MountFixture* fixture, const std::vector<std::string>& command) {
  Child child = start_probe(fixture, command);
  pid_ = child.pid;
  input_ = std::move(child.input);
  std::array<char, 6> ready{};
  if (::read(child.output.get(), ready.data(), ready.size()) != 6) {
    throw std::runtime_error("the lodger did not start");
  }
}

Lodger Lodger::inside(const MountFixture& fixture, const std::vector<std::string>& command) {
  return Lodger(&fixture, command);
}

Lodger Lodger::outside(const std::vector<std::string>& command) { return Lodger(nullptr, command); }

void Lodger::leave() {
  if (!input_) return;  // has left, or was moved from
  input_.reset();
  ::waitpid(pid_, nullptr, 0);
}

bool has_child() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

std::vector<pid_t> pids_of(const std::vector<Occupant>& occupants) {
  std::vector<pid_t> pids;
  for (const Occupant& occupant : occupants) pids.push_back(occupant.pid);
  return pids;
}

const std::vector<std::string>& odd_names() {
  static const std::vector<std::string> names{
      " a b ", ",comma,", "back\\slash", "back\\,both", "\"double\" 'single'", "new\nline", "\ttab",
      "höhe",  "#hash=1", "\xff\xfe",    ":colon:",     "a:b,c\\:d\\",
  };
  return names;
}

}  // namespace wafers::test
