#pragma once

#include <string>

#include "base/fd.h"

namespace wafers {

/// Opens `path` below the open directory `root`; no component of it may be a symlink, so that
/// nothing outside is reached. Empty where it fails, with errno: ELOOP or ENOTDIR for a symlink.
/// An empty `path` opens `root` itself anew.
UniqueFd open_in_worktree(int root, const std::string& path, int flags);

}  // namespace wafers
