#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace wafers {

/// A program to start.
struct Command {
  std::string path;               ///< of the program; not searched for (os/find_program.h)
  std::vector<std::string> argv;  ///< with argv[0]
  std::vector<std::string> environment;
  std::string directory;  ///< to start in; empty for the current one
  struct Descriptor {
    int here = -1;
    int there = -1;
  };
  std::vector<Descriptor> descriptors;
  enum class Inherits {
    /// Default signal dispositions, an empty signal mask, and exactly the descriptors listed:
    /// standard streams that aren't are /dev/null.
    nothing,
    /// What a program of git's gets: all that fork(2) and exec(3) leave it, with SIGPIPE's default.
    all,
  };
  Inherits inherits = Inherits::nothing;
};

/// Starts it and returns its pid; the caller waits for it. Throws Error(failed).
pid_t spawn(const Command& command);

/// How a child ended.
struct ExitStatus {
  int code = 0;    ///< of exit(3), where signal is 0
  int signal = 0;  ///< that ended it, or 0

  bool success() const noexcept { return code == 0 && signal == 0; }
  /// As a shell has it in $?: the code, or 128 + the signal.
  int shell_code() const noexcept { return signal == 0 ? code : 128 + signal; }
};

/// Waits for a child of ours. Throws Error(failed).
ExitStatus wait_for_child(pid_t pid);

// Where WAFERS_TRACE is set, each program that these run is told on standard error once it has
// ended: how long it took, its words, and its status.

/// Runs a program to its end. Throws Error(failed).
ExitStatus run(const Command& command);

/// Runs a program to its end and keeps what it prints to standard output and error, in one text.
/// WhenIdle::end: by SIGKILL once it does nothing any more (os/activity.h).
struct CommandResult {
  ExitStatus status;
  std::string output;
};
enum class WhenIdle { wait, end };
CommandResult run_command(Command command, WhenIdle when_idle = WhenIdle::wait);

/// Runs a program to its end with `input` as its standard input, and keeps what it prints to
/// standard output and error apart. `meanwhile`, where there is one, is done while it runs. Throws
/// Error(failed) where it can't be started, and, once it has ended, what `meanwhile` throws.
struct ProgramResult {
  int status = 0;  ///< ExitStatus::shell_code()
  std::string output;
  std::string errors;

  bool success() const noexcept { return status == 0; }
};
ProgramResult run_program(Command command, std::string_view input,
                          const std::function<void()>& meanwhile = {});

/// The environment of this process ("NAME=value"), for Command::environment.
std::vector<std::string> own_environment();

/// `environment` with `assignments` in the place of those of the same names.
std::vector<std::string> with_variables(std::vector<std::string> environment,
                                        const std::vector<std::string>& assignments);

}  // namespace wafers
