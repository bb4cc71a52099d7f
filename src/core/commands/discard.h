#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "core/state/store.h"

namespace wafers {

/// A view of so many files is removed while a command waits, which is a few milliseconds; larger
/// ones go in the background.
inline constexpr std::size_t kAtOnce = 1000;

/// Moves a directory of the state out of sight (`<root>/.removing-*`) and leaves it to a process of
/// its own to remove it. That process is detached, and holds an flock(2) on the directory while it
/// works. A directory with no more than `at_once` files and directories in it is removed before
/// this returns, without such a process; so is one that a full disk has no room to move. Where the
/// process is killed, or a record is gone and something else can't be removed, the next sweep()
/// goes on. Throws Error(failed), with the directory in its place, where it can't be moved, or its
/// record can't be removed.
void discard(const Store& store, const std::filesystem::path& directory, std::size_t at_once = 0);

/// Takes away what commands that were killed have left in the state directory: wafers that were
/// never made completely, trials, with what is mounted in them, and, in the background, what
/// discard() had not removed yet, what git-diff and add had made, and layers of bases that were not
/// completed. Reads the directory once. The caller holds no lock_all(). Throws nothing.
void sweep(const Store& store) noexcept;

}  // namespace wafers
