#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace wafers {

/// "1.10", as `fuse-overlayfs --version` says it; absent where it isn't installed or says nothing.
std::optional<std::string> fuse_overlayfs_version();

/// One view for fuse-overlayfs. Paths are absolute and may hold any byte, with one exception:
/// fuse-overlayfs (as of 1.10) splits the real path of its upperdir at ':', whatever is done to
/// quote it.
struct FuseSpec {
  std::vector<std::filesystem::path> lowers;  ///< topmost first
  /// Holds `upper` and `work`; a symlink to each lower is made in it.
  std::filesystem::path directory;
  std::filesystem::path mountpoint;
  bool is_volatile = false;  ///< an fsync(2) in the view does nothing
};

/// The daemon that serves a view.
struct FuseServer {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;

  bool operator==(const FuseServer&) const = default;
};

/// Starts fuse-overlayfs and returns when the view is mounted. The daemon runs in a session of its
/// own and holds a lock on the upper for as long as it lives: a second one for that upper waits a
/// few seconds for the first to end, then is refused with Error(busy), since fuse-overlayfs itself
/// would not notice. Throws Error(unsupported) where it isn't installed or can't take the path,
/// Error(failed) with what it printed.
FuseServer start_fuse_overlayfs(const FuseSpec& spec);

/// Whether the process is a daemon that serves this upper: by its name and its lock.
bool serves_upper(pid_t pid, const std::filesystem::path& upper);

/// The daemon that serves an upper, ours or not: found by its lock. Empty where there is
/// none that this process may look at. Throws Error(failed).
UniqueFd open_fuse_overlayfs(const std::filesystem::path& upper);

/// Waits for the end of a server whose view was unmounted; nothing where it is empty. It ends by
/// itself, unless a copy of the mount lives on in another mount namespace: no process needs that
/// copy, and the server is ended. Throws Error(failed).
void wait_for_fuse_overlayfs(const UniqueFd& server);

/// Unmounts a view whether or not it is in use, then waits for its server, if that lives. Throws
/// Error(failed).
void stop_fuse_overlayfs(const FuseSpec& spec);

/// The same after a failure of which the caller tells, as far as it can be done.
void abandon_fuse_overlayfs(const FuseSpec& spec) noexcept;

/// `fusermount3 -u`, which needs no privilege. Throws Error(failed); EBUSY while it is in use.
void unmount_fuse(const std::filesystem::path& mountpoint);
/// The same for a view whose server is dead, or that is to go although it is in use.
void unmount_fuse_lazily(const std::filesystem::path& mountpoint);

}  // namespace wafers
