#pragma once

#include <string>

#include "core/state/wafer.h"

namespace wafers {

// The repositories of submodules below the administrative directory of a view with git inside:
// those that wafers has made there (core/inside/submodules.h), and those that git has cloned since.
// All of it, and what is in the view, is an agent's to write.

/// Lets them work wherever the view is mounted: git inside notes, in the ones that it
/// clones or updates, by relative paths where repository and worktree are from each other
/// (submodule.c: connect_work_tree_and_git_dir). Where that is noted it is taken out, each time in
/// one step; the `.git` files stay. No symlink is followed. Throws Error(failed).
void unbind_submodules(const Wafer& wafer);

/// Gives a wafer whose upper is a copy of that of `source` copies of those that `source` has.
/// Throws Error(failed).
void copy_submodules(const Wafer& source, const Wafer& wafer);

/// Whether the repository of the submodule at `path` in the view has no object of its own, be it
/// below the administrative directory or the part that the upper has of one in the base: then
/// nothing is lost with it.
bool has_only_borrowed_objects(const Wafer& wafer, const std::string& path);

}  // namespace wafers
