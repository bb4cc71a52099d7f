#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/wafer.h"
#include "core/view/check.h"

namespace wafers {

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
