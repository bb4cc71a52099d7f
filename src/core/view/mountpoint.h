#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "core/state/taken.h"
#include "core/state/wafer.h"

namespace wafers {

/// The file that a mountpoint holds where the view shows in a namespace of its own only.
inline constexpr const char* kMountpointMarker = "WAFER-NOT-MOUNTED-HERE.txt";

/// The repository, worktree or bare, that git would find from `directory` (which need not exist):
/// the directory at which it is found. A wafer's mountpoint must lie outside, lest git in the view,
/// which hides `.git`, work on another repository.
std::optional<std::filesystem::path> enclosing_repository(const std::filesystem::path& directory);

/// For root on the host itself, whose mounts everybody sees: throws Error(refused) where others
/// could put something else, such as a symlink to /etc, in the place of `mountpoint` or of anything
/// on the way to it, its symlinks included. Absolute; what doesn't exist yet is root's to make.
void refuse_place_of_others(const std::filesystem::path& mountpoint);

/// The absolute path `mountpoint` without symlinks, as far as it is there. For root by one look at
/// each step, so that what was looked at is what the path leads to: throws as
/// refuse_place_of_others() does. Throws std::filesystem::filesystem_error.
std::filesystem::path resolved_place(const std::filesystem::path& mountpoint);

/// Throws Error(refused) where a new wafer may not be mounted at `mountpoint`: it is inside a Git
/// repository, is no directory, or is not empty.
void check_mountpoint(const std::filesystem::path& mountpoint);

/// Notes in `wafer` which directories above its mountpoint were made for one of `others`: the last
/// wafer to go removes them, whichever that is.
void share_parents(Wafer& wafer, const std::vector<Taken>& others);

/// Notes in `wafer` what prepare_mountpoint() is going to make or change: a record that is saved
/// between the two tells `rm` of it, whenever we are killed. True where that is more than was noted
/// before.
bool plan_mountpoint(Wafer& wafer);

/// Makes the mountpoint and directories above it that are missing, as plan_mountpoint() notes them.
/// In the namespace backend it becomes unwritable (0555) and holds the marker. Idempotent: also
/// brings back a mountpoint that was removed. The view is not mounted. Throws Error(refused) where
/// it holds files: a mount would hide them; where it is a directory outside of the state that no
/// `add` has prepared; and for root where others could replace it.
void prepare_mountpoint(Wafer& wafer);

/// Has the marker in the mountpoint say the name of `wafer` where it says that of `before`, as far
/// as that can be done: it is advice for people. The view is not mounted.
void relabel_mountpoint(const Wafer& before, const Wafer& wafer) noexcept;

/// The mountpoint, to be mounted on: what was looked at is what is mounted on. Throws
/// Error(refused) where it holds files.
UniqueFd open_prepared_mountpoint(const Wafer& wafer);

/// Entries in the mountpoint, outside the view, that are not wafers' own; by name. Empty where it
/// can't be read. The view is not mounted.
std::vector<std::string> stray_entries(const Wafer& wafer);

/// The same while a view of backend namespace is mounted or not, as seen from outside; from inside,
/// nothing. Its owner can write to the mountpoint once he has given himself the right, as some
/// programs do unasked.
std::vector<std::string> written_outside(const Wafer& wafer);

/// Takes back what plan_mountpoint() noted in `wafer`, as far as it was made. Directories that are
/// not empty stay, and those outside of the state that are neither marked as ours nor can have been
/// made by us. Throws Error(failed).
void release_mountpoint(const Wafer& wafer);

}  // namespace wafers
