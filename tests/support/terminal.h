#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/run.h"

namespace wafers::test {

/// A program on a terminal of its own, wide enough that no line is broken.
class Terminal {
 public:
  /// Starts `argv`, which is found in PATH. Throws std::runtime_error.
  Terminal(const std::vector<std::string>& argv, const RunOptions& options);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  /// Hangs up, and waits for the end of the program.
  ~Terminal();

  void type(std::string_view keys) const;
  /// Waits until `begin` is printed, with `end` somewhere behind it, and returns what stands
  /// between them; what was printed until then is gone. Throws std::runtime_error where the program
  /// ends or is silent for a minute instead.
  std::string read_between(std::string_view begin, std::string_view end);

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string printed_;
};

}  // namespace wafers::test
