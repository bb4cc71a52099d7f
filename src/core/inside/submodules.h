#pragma once

#include <filesystem>
#include <string>

#include "core/state/wafer.h"

namespace wafers::git {
class Repository;
}  // namespace wafers::git

namespace wafers {

// A submodule that is absorbed has a `.git` file that leads to its repository below the
// superproject's `modules` (gitsubmodules(7)), by a relative path that leads nowhere in a view; and
// that repository has one HEAD, one index and one worktree. So git gives those of a linked worktree
// repositories of their own, below `modules` of its administrative directory. So does wafers, which
// doesn't clone them: the objects stay where they are, and are borrowed (gitrepository-layout(5),
// objects/info/alternates).

/// Gives each submodule that the checkout of a live base has, and those in them, a repository of
/// its own, with HEAD, index and refs as in the checkout's, and lets the view's `.git` file lead
/// there. The administrative directory is there, the view isn't mounted yet. Submodules with a
/// `.git` directory in the checkout need nothing: the view's is their own. `base_index` is git's
/// index of the checkout. Throws Error(failed).
void add_submodules(const Wafer& wafer, const git::Repository& repository,
                    const std::filesystem::path& base_index);

/// Makes those repositories again where they are gone with the administrative directory; the view
/// leads to them already. Throws Error(failed).
void make_submodules(const Wafer& wafer, const git::Repository& repository,
                     const std::filesystem::path& base_index);

/// Lets those repositories work wherever the view is mounted: git inside notes, in the ones that it
/// clones or updates, by relative paths where repository and worktree are from each other
/// (submodule.c: connect_work_tree_and_git_dir). The view isn't mounted. What an agent has made
/// that git wouldn't stays as it is. Throws Error(failed).
void unbind_submodules(const Wafer& wafer);

/// Gives a wafer whose upper is a copy of that of `source` copies of the submodules' repositories
/// that `source` has below its administrative directory. Throws Error(failed).
void copy_submodules(const Wafer& source, const Wafer& wafer);

/// Whether the repository of the submodule at `path` in the view has no object of its own, be it
/// below the administrative directory or the part that the upper has of one in the base: then
/// nothing is lost with it.
bool has_only_borrowed_objects(const Wafer& wafer, const std::string& path);

}  // namespace wafers
