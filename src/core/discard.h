#pragma once

#include <cstddef>
#include <filesystem>

#include "core/store.h"

namespace wafers {

/// Moves a directory of the state out of sight (`<root>/.removing-*`) and leaves it to a process of
/// its own to remove it. That process is detached, and holds an flock(2) on the directory while it
/// works. If it is killed, the next sweep() goes on. A directory with no more than `at_once` files and
/// directories in it is removed before this returns, without such a process. Throws Error(failed)
/// where the directory can't be moved.
void discard(const std::filesystem::path& root, const std::filesystem::path& directory,
             std::size_t at_once = 0);

/// Takes away what commands that were killed have left in the state directory: wafers that were
/// never made completely, trials, with what is mounted in them, and, in the background, what
/// discard() had not removed yet. Reads the directory once. The caller holds no lock_all(). Throws
/// nothing.
void sweep(const Store& store) noexcept;

}  // namespace wafers
