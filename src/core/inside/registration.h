#pragma once

#include <filesystem>
#include <string>

#include "core/state/wafer.h"

namespace wafers {

// A view with git inside is a linked worktree of the base repository (git-worktree(1)): its `.git`
// is a file that leads to an administrative directory of its own, Wafer::git_dir, in the
// repository's `worktrees` (gitrepository-layout(5)). What an agent may write there is its HEAD,
// its index and all that git keeps of a worktree; where it lies is known from the record alone.

/// The directory that a wafer called `name` is to have, which nothing has yet. The caller holds
/// Store::lock_all().
std::filesystem::path free_git_dir(const std::filesystem::path& common_dir,
                                   const std::string& name);

/// Makes the registration, or what is missing of it, such as after a crash of the host or `git
/// worktree remove`: locked, so that git doesn't take it for one whose worktree is gone while the
/// view isn't mounted, and with HEAD on the wafer's branch. There is no index yet. Throws
/// Error(failed).
void complete_registration(const Wafer& wafer);

/// Notes that name, mountpoint and the directory of the state, which was `old_directory`, are
/// others now, where there is a registration. Throws Error(failed).
void move_registration(const Wafer& wafer, const std::filesystem::path& old_directory);

/// Removes the registration, if the repository is there, the directory is one of its `worktrees`,
/// and leads to the wafer's view. Throws Error(failed).
void remove_registration(const Wafer& wafer);

}  // namespace wafers
