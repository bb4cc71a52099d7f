#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/state/wafer.h"

namespace wafers {

/// Something mounted below the worktree of a base: a file system of its own, which is no part of
/// what an overlay of the worktree shows.
struct BaseMount {
  std::string path;      ///< relative to the worktree
  std::string type;      ///< of the file system
  bool tracked = false;  ///< git tracks it, or files in it
};

/// By this process's mount table; git is asked what it tracks where there is any. Throws
/// Error(failed), or Error(unsupported) where git is needed and not installed.
std::vector<BaseMount> find_base_mounts(const std::filesystem::path& worktree);

/// "'node_modules' of the base is a mount of its own (tmpfs)".
std::string describe(const BaseMount& mount);

/// Why a backend can show no view of a base, for each one that can't.
using Obstacles = std::map<BackendKind, Error>;

/// In an unprivileged namespace the kernel refuses a lowerdir with a mount below it. Elsewhere it
/// leaves the mount out, which does for what git doesn't track. fuse-overlayfs shows what is there.
Obstacles obstacles_of(const std::filesystem::path& worktree, const std::vector<BaseMount>& mounts);

/// Throws Error(unsupported) where the wafer's own backend has such an obstacle by now.
void refuse_base_mounts(const Wafer& wafer);

}  // namespace wafers
