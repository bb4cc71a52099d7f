#pragma once

#include <cstddef>
#include <optional>

#include "core/base/difference.h"
#include "core/state/wafer.h"
#include "git/repository/repository.h"

namespace wafers {

/// A wafer's work as it is, and as it is on top of another commit.
struct CarriedWork {
  std::optional<git::Oid> branch;  ///< where it is, if it is there
  ViewTrees before;                ///< the view as `git add -A` would have it
  ViewTrees after;
  git::Oid tip;             ///< the branch on top of the other commit
  git::Oid staged;          ///< tree: what git would have in its index then
  std::size_t commits = 0;  ///< that were made anew
};

/// Rebases the wafer's branch, wherever it is now, onto the commit `onto`, as `git rebase` does,
/// and carries what is staged and what the view has, which was done on the tip that wafers last
/// saw, over to that. New commits are in the database, and nothing else has changed. Commits are
/// signed where that is configured. The view is not mounted. Throws Error(refused) naming the paths
/// where two sides changed the same, with how to go on as hint; where the branch can't be moved;
/// where some of the view can't be read; and where files hold what was taken from a moved base that
/// `onto` does not include. Throws Error(failed).
CarriedWork carry_over(const Wafer& wafer, const git::Oid& onto);

}  // namespace wafers
