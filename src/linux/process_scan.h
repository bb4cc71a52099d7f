#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "linux/overlay.h"

namespace wafers {

/// Living processes whose mount namespace is `mnt_ns`. Processes that the kernel doesn't let us
/// look at don't count: they can't be entered either.
std::vector<pid_t> processes_in_mount_namespace(std::uint64_t mnt_ns);

/// Whether a process keeps the view busy: its working or root directory, its program, an open file
/// or a mapping lies on it. `mountpoint`: the view's, in the mount namespace that it is mounted in.
bool uses_view(pid_t pid, const ViewIdentity& view, const std::filesystem::path& mountpoint);

/// Paths, to be used at once by this process, of files of the view that a process has mapped shared
/// and writable or holds open for writing: their content may be in the page cache only.
std::vector<std::filesystem::path> files_being_written(const ViewIdentity& view);

}  // namespace wafers
