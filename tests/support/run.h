#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wafers::test {

struct RunOptions {
  std::filesystem::path cwd = {};             ///< empty: the caller's
  std::vector<std::string> environment = {};  ///< "K=V" on top of the caller's; "K" alone unsets it
  std::string input = {};                     ///< standard input
};

struct RunResult {
  std::string out;
  std::string err;
  int status = -1;  ///< exit status, -1 where a signal ended it
  int signal = 0;   ///< the signal that ended it, else 0

  bool ok() const noexcept { return status == 0; }
};

/// Runs `argv` (found in PATH) to its end. Output goes to files in memory: a process that it left
/// behind with the same stdout does not keep this call waiting. Throws std::runtime_error where it
/// can't be started.
RunResult run(const std::vector<std::string>& argv, const RunOptions& options = {});

/// As run(), and throws std::runtime_error with command and output unless it exits with 0.
/// Returns what it printed on stdout.
std::string run_ok(const std::vector<std::string>& argv, const RunOptions& options = {});

/// `script` through `sh -eu -c`.
RunResult run_script(const std::string& script, const RunOptions& options = {});

}  // namespace wafers::test
