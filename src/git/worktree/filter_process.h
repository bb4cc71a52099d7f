#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace wafers::git {

/// A shell command with pipes to its standard input and output. What it prints while it is written
/// to is taken in at once, so that neither side ever waits for the other. While one exists, SIGPIPE
/// is ignored in this process (the command itself has the default action).
class FilterProcess {
 public:
  /// Runs `sh -c command` in `directory`, with `environment` ("K=V") on top of this process's.
  /// Throws Error(failed).
  FilterProcess(const std::string& command, const std::string& directory,
                const std::vector<std::string>& environment);
  FilterProcess(const FilterProcess&) = delete;
  FilterProcess& operator=(const FilterProcess&) = delete;
  /// Closes both pipes and waits for the command's end.
  ~FilterProcess();

  /// Writes all of `data`; false where the command no longer reads. Throws Error(failed).
  bool write(std::string_view data);
  void close_input() { input_.reset(); }

  /// Exactly `size` bytes of its output; less only at the end of the output. Throws Error(failed).
  std::string read(std::size_t size);
  /// All of its output up to the end.
  std::string read_to_end();

  /// Waits for its end: the exit status, or 128 + the signal.
  int wait();

 private:
  bool take_output();

  pid_t pid_ = -1;
  int status_ = 0;
  UniqueFd input_, output_;
  std::string pending_;    ///< printed and not yet read
  std::size_t taken_ = 0;  ///< of pending_
};

}  // namespace wafers::git
