#include "linux/fuse_overlayfs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "os/child.h"
#include "os/files.h"
#include "os/find_program.h"
#include "os/orphans.h"
#include "os/process.h"
#include "os/spawn.h"

namespace wafers {
namespace {

constexpr const char* kProgram = "fuse-overlayfs";
/// Where the daemon gets the descriptor that carries the lock.
constexpr int kLockFd = 3;

std::filesystem::path require_program(const std::string& name) {
  if (auto path = find_program(name)) return *std::move(path);
  throw Error(
      ErrorKind::unsupported, name + " is not installed",
      name == kProgram ? "install the package fuse-overlayfs" : "install the package fuse3");
}

/// flock(2), for as long as `patience` where another process holds it. False with errno set.
bool lock_patiently(int fd, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{5};
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int err = errno;
    if (err != EWOULDBLOCK || std::chrono::steady_clock::now() > give_up) {
      errno = err;
      return false;
    }
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

/// flock(2) is held by the open file: it passes to the daemon with the descriptor, and ends with
/// it. A daemon whose view has just been unmounted may take a moment to end.
UniqueFd lock_upper(const std::filesystem::path& upper) {
  constexpr std::chrono::seconds kEnding{3};
  UniqueFd fd = open_file(upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd && lock_patiently(fd.get(), kEnding)) return fd;
  const int err = errno;
  if (err == EWOULDBLOCK) {
    throw Error(ErrorKind::busy, "another fuse-overlayfs still serves " + in_quotes(upper.native()),
                "end the processes that use its old view, then try again");
  }
  throw Error::system(err, "cannot lock " + in_quotes(upper.native()));
}

void link_lower(const std::filesystem::path& lower, const std::filesystem::path& link) {
  std::error_code error;
  if (std::filesystem::read_symlink(link, error) == lower) return;
  std::filesystem::remove(link, error);
  std::filesystem::create_symlink(lower, link, error);
  if (error) throw Error::system(error.value(), "cannot make " + in_quotes(link.native()));
}

/// Names for the lowers, as the option lowerdir has them, without any special character: option
/// strings and fuse-overlayfs's own parser both have separators, with different rules for quoting.
std::string linked_lowers(const FuseSpec& spec) {
  std::string names;
  for (std::size_t i = 0; i < spec.lowers.size(); ++i) {
    const std::string name = i == 0 ? "lower" : "lower" + std::to_string(i);
    link_lower(spec.lowers[i], spec.directory / name);
    names += (names.empty() ? "" : ":") + name;
  }
  return names;
}

/// fuse-overlayfs would follow it, and clear what it leads to.
void refuse_symlink(const std::filesystem::path& directory) {
  const UniqueFd fd = open_file(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (fd) return;
  throw_errno("cannot open directory", directory.native());
}

void refuse_colon(const std::filesystem::path& directory) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(directory, error).native();
  if (real.find(':') == std::string::npos) return;
  throw Error(
      ErrorKind::unsupported,
      "fuse-overlayfs cannot take an upper directory with ':' in its path: " + in_quotes(real),
      "set WAFERS_STATE_DIR to a directory without ':' in its path");
}

Command server_command(const FuseSpec& spec, const UniqueFd& lock) {
  Command command;
  command.path = require_program(kProgram);
  // Without the kernel's write-back cache: what is written is in the upper when write(2) returns,
  // and its time stamps are the upper's own.
  std::string options =
      "lowerdir=" + linked_lowers(spec) + ",upperdir=upper,workdir=work,writeback=0";
  if (spec.is_volatile) options += ",volatile";
  command.argv = {kProgram, "-o", std::move(options), spec.mountpoint};
  command.environment = own_environment();
  command.directory = spec.directory;
  command.descriptors = {{lock.get(), kLockFd}};
  return command;
}

/// What a failed program printed, as one line.
std::string printed(const CommandResult& result) {
  std::string text(trimmed(result.output));
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (!text.empty()) return printable(text);
  return "it ended with status " + std::to_string(result.status.code);
}

/// Where it could make no process it says so in words alone, with the same remedy as for ours.
Error server_failed(const CommandResult& result, const std::string& doing) {
  if (result.status.signal == SIGKILL) {
    return Error(ErrorKind::failed,
                 doing +
                     ": it does not go to the background, as where there can be no more "
                     "processes (ulimit -u, pids.max)");
  }
  const bool no_process = result.output.find(std::strerror(EAGAIN)) != std::string::npos;
  return no_process ? Error::system(EAGAIN, doing)
                    : Error(ErrorKind::failed, doing + ": " + printed(result));
}

/// The one child that this process has left.
FuseServer adopted_server() {
  for (const pid_t pid : all_processes()) {
    const auto stat = read_process_stat(pid);
    if (stat && stat->parent == ::getpid() && stat->alive()) return {pid, stat->start_ticks};
  }
  throw Error(ErrorKind::failed, "fuse-overlayfs ended at once");
}

/// Nobody tells the daemon's pid: it is the child of the process that we start, and that one ends
/// once the view is mounted. A "subreaper" becomes its parent then (prctl(2)). That is a child of
/// ours, so that the daemon is no child of ours in the end, nor of the agent's whose command
/// takes this process over.
FuseServer run_server(const Command& command, const std::string& doing) {
  const Pipe answer = make_pipe();
  const auto failure = run_in_child([&] {
    adopt_orphans();
    // One that can't fork serves in the foreground, for as long as the view is mounted.
    const CommandResult result = run_command(command, WhenIdle::end);
    if (!result.status.success()) throw server_failed(result, doing);
    const FuseServer server = adopted_server();
    write_all(answer.writer.get(),
              std::string_view(reinterpret_cast<const char*>(&server), sizeof server));
  });
  if (failure) throw failure->error();
  FuseServer server;
  if (::read(answer.reader.get(), &server, sizeof server) != sizeof server) {
    throw Error(ErrorKind::failed, doing + ": nothing is known of its daemon");
  }
  return server;
}

void run_fusermount(const char* option, const std::filesystem::path& mountpoint) {
  Command command;
  command.path = require_program("fusermount3");
  command.argv = {"fusermount3", option, "--", mountpoint};
  command.environment = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  const CommandResult result = run_command(std::move(command));
  if (result.status.success()) return;
  const std::string doing = "cannot unmount " + in_quotes(mountpoint.native());
  if (result.output.find("busy") != std::string::npos) throw Error::system(EBUSY, doing);
  throw Error(ErrorKind::failed, doing + ": " + printed(result));
}

/// False where there can be no more processes, and only then.
bool unmount_if_possible(const std::filesystem::path& mountpoint) {
  try {
    unmount_fuse_lazily(mountpoint);
  } catch (const Error& error) {  // else nothing may be mounted there
    return error.errnum() != EAGAIN;
  }
  return true;
}

/// fusermount3 takes the place of the server among the user's processes: that is given back when
/// its parent has waited for it, and may go to another process.
void unmount_in_place_of(const UniqueFd& server, const std::filesystem::path& mountpoint) {
  constexpr int kAttempts = 50;
  constexpr std::chrono::milliseconds kPause{100};
  kill_process(server.get());
  for (int i = 0; i < kAttempts && !unmount_if_possible(mountpoint); ++i) {
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::optional<std::string> fuse_overlayfs_version() {
  const auto program = find_program(kProgram);
  if (!program) return std::nullopt;
  Command command;
  command.path = *program;
  command.argv = {kProgram, "--version"};
  const std::string output = run_command(std::move(command)).output;
  constexpr std::string_view kBefore = "fuse-overlayfs: version ";
  const std::size_t at = output.find(kBefore);
  if (at == std::string::npos) return std::nullopt;
  const std::string rest = output.substr(at + kBefore.size());
  return rest.substr(0, rest.find_first_of(" \n"));
}

FuseServer start_fuse_overlayfs(const FuseSpec& spec) {
  refuse_colon(spec.directory);
  refuse_symlink(spec.directory / "work");
  const UniqueFd lock = lock_upper(spec.directory / "upper");
  try {
    return run_server(server_command(spec, lock),
                      "cannot mount fuse-overlayfs on " + in_quotes(spec.mountpoint.native()));
  } catch (const Error&) {
    abandon_fuse_overlayfs(spec);  // it may have come as far as mounting
    throw;
  }
}

bool serves_upper(pid_t pid, const std::filesystem::path& upper) {
  const auto stat = read_process_stat(pid);
  if (!stat || stat->comm != kProgram) return false;
  struct stat wanted {};
  struct statx held {};
  const std::string lock = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(kLockFd);
  // Whoever takes this name may hold a file there whose server never answers: it isn't asked.
  return ::lstat(upper.c_str(), &wanted) == 0 &&
         ::statx(AT_FDCWD, lock.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &held) == 0 &&
         ::makedev(held.stx_dev_major, held.stx_dev_minor) == wanted.st_dev &&
         held.stx_ino == wanted.st_ino;
}

UniqueFd open_fuse_overlayfs(const std::filesystem::path& upper) {
  for (const pid_t pid : all_processes()) {
    UniqueFd process = serves_upper(pid, upper) ? open_pidfd(pid) : UniqueFd();
    // The pid may have gone to another process before it was opened.
    if (process && serves_upper(pid, upper) && !has_ended(process.get())) return process;
  }
  return {};
}

void wait_for_fuse_overlayfs(const UniqueFd& server) {
  constexpr std::chrono::seconds kEnding{2};
  constexpr std::chrono::seconds kPatience{5};
  if (!server) return;
  send_signal(server.get(), SIGCONT);  // to end it must run
  if (!wait_for_end(server.get(), kEnding)) end_process(server.get(), kPatience);
}

void stop_fuse_overlayfs(const FuseSpec& spec) {
  const UniqueFd server = open_fuse_overlayfs(spec.directory / "upper");
  unmount_fuse_lazily(spec.mountpoint);
  wait_for_fuse_overlayfs(server);
}

void abandon_fuse_overlayfs(const FuseSpec& spec) noexcept {
  try {
    const UniqueFd server = open_fuse_overlayfs(spec.directory / "upper");
    if (!unmount_if_possible(spec.mountpoint) && server) {
      unmount_in_place_of(server, spec.mountpoint);
    }
    wait_for_fuse_overlayfs(server);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the caller tells of a failure
  }
}

void unmount_fuse(const std::filesystem::path& mountpoint) { run_fusermount("-u", mountpoint); }

void unmount_fuse_lazily(const std::filesystem::path& mountpoint) {
  run_fusermount("-uz", mountpoint);
}

}  // namespace wafers
