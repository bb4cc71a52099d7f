#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.h"

namespace wafers {

/// A program to start. It gets default signal dispositions, an empty signal mask, and exactly the
/// descriptors listed: standard streams that aren't are /dev/null.
struct Command {
  std::string path;               ///< of the program; not searched for
  std::vector<std::string> argv;  ///< with argv[0]
  std::vector<std::string> environment;
  std::string directory;  ///< to start in; empty for the current one
  struct Descriptor {
    int here = -1;
    int there = -1;
  };
  std::vector<Descriptor> descriptors;
};

/// Starts it and returns its pid; the caller waits for it. Throws Error(failed).
pid_t spawn(const Command& command);

/// How a child ended.
struct ExitStatus {
  int code = 0;    ///< of exit(3), where signal is 0
  int signal = 0;  ///< that ended it, or 0

  bool success() const noexcept { return code == 0 && signal == 0; }
};

/// Waits for a child of ours. Throws Error(failed).
ExitStatus wait_for_child(pid_t pid);

/// Runs a program to its end and keeps what it prints to standard output and error, in one text.
/// WhenIdle::end: by SIGKILL once it does nothing any more (os/activity.h).
struct CommandResult {
  ExitStatus status;
  std::string output;
};
enum class WhenIdle { wait, end };
CommandResult run_command(Command command, WhenIdle when_idle = WhenIdle::wait);

/// The environment of this process, for Command::environment.
std::vector<std::string> own_environment();

}  // namespace wafers
