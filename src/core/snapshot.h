#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "git/index_file.h"
#include "git/repository.h"
#include "linux/upper.h"

namespace wafers {

/// Everything that the one computation needs. The mount side is not asked: this works on a plain
/// directory tree in upper form, mounted or not.
struct SnapshotInput {
  const git::Repository* repository = nullptr;
  git::ObjectStore* objects = nullptr;
  std::filesystem::path upper;
  UpperDialect dialect = UpperDialect::kernel_user;
  git::Oid base_tree;  ///< tree of the commit that the lowerdir shows
  git::Oid tip_tree;   ///< tree of the branch's tip: what git would have in its index
  /// Files of an earlier snapshot whose stat data is unchanged need not be read again.
  const git::IndexFile* cache = nullptr;
  /// Literal files or directories from the root; empty for the whole view.
  std::vector<std::string> paths;
};

/// A change of the view against the tip, in the form that status needs.
struct ViewChange {
  git::TreeChange change;
  bool untracked = false;  ///< the tip has no such path
};

struct Snapshot {
  git::Oid tree;                     ///< what `git add -A [-- paths] && git write-tree` gives
  std::vector<ViewChange> changes;   ///< tip -> view, in index order; whole paths, no collapsing
  /// Untracked names as `git status --porcelain` shows them: whole directories collapsed ("dir/").
  std::vector<std::string> untracked;
  std::vector<std::string> warnings; ///< as git would print them, without "warning: "
  std::vector<std::string> unmatched_paths;  ///< of `paths`: match nothing in view or tip
  git::IndexFile index;              ///< stat data for the next snapshot, with the new tree's entries
};

/// snapshot(upper on top of base, tracked as in tip) -> tree. Cost grows with the upper; the base's
/// worktree is read only below an ignore file that the upper changed, and for untracked rule files.
/// Throws Error(failed) for what can't be read; a special file is skipped as git skips it.
Snapshot take_snapshot(const SnapshotInput& input);

}  // namespace wafers
