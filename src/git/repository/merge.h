#pragma once

#include <string>
#include <vector>

#include "git/repository/repository.h"

namespace wafers::git {

/// A tree with the changes of another one.
struct MergedTree {
  Oid tree;
  std::vector<std::string> conflicts;  ///< paths; where there are any, the tree has their marks
};

/// The tree `ours` with what makes `theirs` of the commit `ancestor`, merged as git merges branches
/// (git-merge-tree(1): renames are found, merge drivers run). Objects are written, as git does; no
/// ref, index or file is touched. Throws Error(unsupported) where git is older than 2.38, which
/// can't do that without a worktree, and Error(failed) with git's words.
MergedTree merge_changes(Repository& repository, const Oid& ancestor, const Oid& ours,
                         const Oid& theirs);

/// The commits that `git rebase --onto onto base tip` would make anew, the oldest first: no merges,
/// and none whose change `onto` has already. Throws Error(failed).
std::vector<Oid> commits_to_rebase(const Repository& repository, const Oid& tip, const Oid& onto,
                                   const Oid& base);

}  // namespace wafers::git
