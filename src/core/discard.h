#pragma once

#include <cstddef>
#include <filesystem>

namespace wafers {

/// Moves a directory of the state out of sight (`<root>/.removing-*`) and leaves it to a process of
/// its own to remove it. That process is detached, and holds an flock(2) on the directory while it
/// works. If it is killed, the next sweep_discarded() goes on. Up to `at_once` files and
/// directories are removed before this returns; where that is all, there is no such process. Throws
/// Error(failed) where the directory can't be moved.
void discard(const std::filesystem::path& root, const std::filesystem::path& directory,
             std::size_t at_once = 0);

/// Goes on, in the background, with what processes that were killed have left in `root`. Cheap
/// where nothing is left; throws nothing.
void sweep_discarded(const std::filesystem::path& root) noexcept;

}  // namespace wafers
