#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "base/error.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/files.h"

namespace wafers {
namespace {

/// A whole decimal number, as in /proc.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string proc_path(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::string process_name(pid_t pid) { return "process " + std::to_string(pid); }

/// poll(2) for the end; an interrupted wait starts anew, which is good enough for our timeouts.
bool poll_for_end(int pidfd, int milliseconds) {
  pollfd entry{.fd = pidfd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return std::nullopt;
  }
  // proc(5) counts from 1, so that the state is field 3; here it is the first one.
  constexpr std::size_t kParent = 4 - 3;
  constexpr std::size_t kUserTime = 14 - 3;
  constexpr std::size_t kSystemTime = 15 - 3;
  constexpr std::size_t kStartTime = 22 - 3;
  const std::vector<std::string> fields = split(text.substr(close + 2), ' ');
  if (fields.size() <= kStartTime || fields.front().size() != 1) return std::nullopt;

  const auto pid = parse_number<pid_t>(text.substr(0, open));
  const auto parent = parse_number<pid_t>(fields[kParent]);
  const auto user = parse_number<std::uint64_t>(fields[kUserTime]);
  const auto system = parse_number<std::uint64_t>(fields[kSystemTime]);
  const auto start = parse_number<std::uint64_t>(fields[kStartTime]);
  if (!pid || !parent || !user || !system || !start) return std::nullopt;
  return ProcessStat{*pid,
                     std::string(text.substr(open + 2, close - open - 2)),
                     fields.front().front(),
                     *parent,
                     *user + *system,
                     *start};
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  const auto text = read_small_file(proc_path(pid, "stat"));
  return text ? parse_process_stat(*text) : std::nullopt;
}

UniqueFd open_pidfd(pid_t pid) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd && errno != ESRCH) {
    const int err = errno;
    throw Error::system(err, "cannot open " + process_name(pid));
  }
  return fd;
}

pid_t pid_of(int pidfd) {
  constexpr std::string_view kKey = "\nPid:\t";
  const std::string info =
      read_small_file("/proc/self/fdinfo/" + std::to_string(pidfd)).value_or("");
  const std::size_t at = info.find(kKey);
  const std::string_view rest =
      at == std::string::npos ? "" : std::string_view(info).substr(at + kKey.size());
  const auto pid = parse_number<pid_t>(rest.substr(0, rest.find('\n')));
  if (pid) return std::max(*pid, 0);
  throw Error(ErrorKind::failed, "cannot tell whose a process descriptor is");
}

UniqueFd open_process(pid_t pid, std::uint64_t start_ticks) {
  // First the descriptor, then the look: had the pid gone to another process before the descriptor
  // was opened, the start time would be the other's.
  UniqueFd fd = open_pidfd(pid);
  const auto stat = fd ? read_process_stat(pid) : std::nullopt;
  if (!stat || !stat->alive() || stat->start_ticks != start_ticks) return {};
  return fd;
}

bool has_ended(int pidfd) { return poll_for_end(pidfd, 0); }

bool wait_for_end(int pidfd, std::chrono::milliseconds timeout) {
  return poll_for_end(pidfd, static_cast<int>(timeout.count()));
}

bool send_signal(int pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return true;
  const int err = errno;
  if (err == ESRCH) return false;
  throw Error::system(err, "cannot send a signal");
}

void kill_process(int pidfd) {
  if (!send_signal(pidfd, SIGKILL)) return;
  constexpr std::chrono::seconds kUninterruptible{10};
  if (!wait_for_end(pidfd, kUninterruptible)) {
    throw Error(ErrorKind::failed, "cannot end a process: it does not react to SIGKILL");
  }
}

void end_process(int pidfd, std::chrono::milliseconds patience) {
  if (!send_signal(pidfd, SIGTERM) || wait_for_end(pidfd, patience)) return;
  kill_process(pidfd);
}

std::string boot_id() {
  static const std::string id(
      trimmed(read_small_file("/proc/sys/kernel/random/boot_id").value_or("")));
  return id;
}

std::vector<ProcessEntry> list_processes() {
  std::vector<ProcessEntry> processes;
  for_each_entry("/proc", [&](const DirectoryEntry& entry) {
    const auto pid = parse_number<pid_t>(entry.name);
    if (pid) processes.push_back({*pid, entry.inode});
    return true;
  });
  return processes;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  for (const ProcessEntry& process : list_processes()) pids.push_back(process.pid);
  return pids;
}

std::vector<pid_t> own_children() {
  siginfo_t ignored{};
  // Mostly there are none (ECHILD), and this says so without a look at every process.
  if (::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  std::vector<pid_t> pids = all_processes();
  std::erase_if(pids, [](pid_t pid) {
    const auto stat = read_process_stat(pid);
    return !stat || stat->parent != ::getpid();
  });
  return pids;
}

std::string command_of(pid_t pid) {
  std::string line = read_small_file(proc_path(pid, "cmdline")).value_or("");
  while (!line.empty() && line.back() == '\0') line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  if (!line.empty()) return printable(line);
  const auto stat = read_process_stat(pid);
  return "[" + (stat ? printable(stat->comm) : "?") + "]";
}

}  // namespace wafers
