#pragma once

#include <filesystem>

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

}  // namespace wafers
