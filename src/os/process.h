#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace wafers {

/// What /proc/<pid>/stat says of a process (proc(5)).
struct ProcessStat {
  pid_t pid = 0;
  std::string comm;
  char state = '?';
  pid_t parent = 0;
  std::uint64_t cpu_ticks = 0;    ///< that it has had, all threads together
  std::uint64_t start_ticks = 0;  ///< clock ticks since boot: tells a process from a later one

  /// A zombie holds nothing any more: no memory, files or namespaces.
  bool alive() const noexcept { return state != 'Z' && state != 'X' && state != 'x'; }
};

/// Absent where the text isn't in the form of /proc/<pid>/stat. The command may hold blanks and
/// parentheses, so everything after it is counted from the last ')'.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Absent where there is no such process.
std::optional<ProcessStat> read_process_stat(pid_t pid);

/// A descriptor for the process that has `pid` now; empty where there is none. Throws
/// Error(failed).
UniqueFd open_pidfd(pid_t pid);

/// Whose descriptor it is; 0 where that process was waited for. Throws Error(failed).
pid_t pid_of(int pidfd);

/// open_pidfd(), but only if it is alive and started at `start_ticks`: what is signalled or entered
/// through the descriptor is then that process and no other.
UniqueFd open_process(pid_t pid, std::uint64_t start_ticks);

/// Whether the process has ended; a zombie has.
bool has_ended(int pidfd);

/// Waits for the end, of any process and not just of a child. False at the timeout.
bool wait_for_end(int pidfd, std::chrono::milliseconds timeout);

/// False where it has ended already. Throws Error(failed), as for another user's process.
bool send_signal(int pidfd, int signal);

/// SIGKILL, and waits until it has ended. Throws Error(failed).
void kill_process(int pidfd);

/// SIGTERM, then SIGKILL after `patience`, and waits until it has ended. Throws Error(failed).
void end_process(int pidfd, std::chrono::milliseconds patience);

/// This boot's id: a pid and start time mean something only together with it. Empty without /proc.
std::string boot_id();

/// A process as a list of /proc shows it.
struct ProcessEntry {
  pid_t pid = 0;
  std::uint64_t inode = 0;  ///< of /proc/<pid>: a later process with this pid has another one
};

/// All processes that /proc shows, in no particular order.
std::vector<ProcessEntry> list_processes();
std::vector<pid_t> all_processes();

/// The children of this process, of all its threads, zombies included.
std::vector<pid_t> own_children();

/// A process's command line as one printable line, words separated by blanks; its name in brackets,
/// as ps(1) does it, where the command line is empty or not readable.
std::string command_of(pid_t pid);

}  // namespace wafers
