#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/wafer.h"

namespace wafers {

enum class CheckStatus {
  ok,
  warn,  ///< something is missing that wafers can do without, or that only one command needs
  fail,  ///< `add` does not work here until the remedy is applied
};

std::string_view to_string(CheckStatus status);

/// One thing that was looked at.
struct Check {
  std::string id;  ///< stable, for programs: "user-namespaces"
  CheckStatus status = CheckStatus::ok;
  std::string message;  ///< one printable line: what was found
  std::string remedy;   ///< one printable line: what to do about it, a command where there is one
};

/// What `doctor` says of a host.
struct Diagnosis {
  std::vector<Check> checks;           ///< in the order in which they are to be read
  std::optional<BackendKind> backend;  ///< what `add` would take; none if no view can be mounted
  std::string verdict;                 ///< one line that says so
};

/// Examines this host for the calling user: the kernel, user namespaces, the state directory's file
/// system, fuse-overlayfs, a real trial mount of each backend, the Git identity, and the repository
/// that `directory` lies in, if it does. Leaves nothing behind, not even a state directory that did
/// not exist. Must be called with a single thread (the probes fork). Whatever is wrong is a check
/// that says so; throws Error(failed) only where not even a child process can be made.
Diagnosis diagnose(const std::filesystem::path& state_dir, const std::filesystem::path& directory);

}  // namespace wafers
