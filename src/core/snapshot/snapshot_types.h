#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/index/index_view.h"
#include "git/repository/repository.h"
#include "linux/covered_checkout.h"
#include "linux/upper.h"

namespace wafers {

/// What a snapshot is for decides how much of the view is read.
enum class SnapshotPurpose {
  commit,  ///< everything, with the warnings and refusals of `git add`
  diff,    ///< everything
  status,  ///< untracked files are named but not read: `tree` has the tracked ones alone
};

/// How untracked names are told: git's status.showUntrackedFiles.
enum class UntrackedNames {
  collapsed,  ///< a directory without tracked files is one name, "dir/"
  all,        ///< every file
};

/// Everything that the one computation needs. The mount side is not asked: this works on a plain
/// directory tree in upper form, mounted or not.
struct SnapshotInput {
  const git::Repository* repository = nullptr;
  git::ObjectStore* objects = nullptr;
  std::filesystem::path upper;
  UpperDialect dialect = UpperDialect::kernel_user;
  std::vector<std::filesystem::path> layers;  ///< of the base, as Wafer has them
  git::Oid base_tree;                         ///< tree of the commit that they show
  std::filesystem::path base_index;           ///< git's index of the files in the lowest layer
  /// What git would have in its index: what is staged, or else the tree of the branch's tip. The
  /// walk calls it the tip.
  git::Oid compared_tree;
  /// Files of an earlier snapshot whose stat data is unchanged need not be read again.
  const git::IndexFile* cache = nullptr;
  /// The `seen` of an earlier snapshot, of any purpose: files that may have changed since the tip.
  const git::IndexFile* seen = nullptr;
  /// The view's own index, where git works in it: its status goes by the sizes of files in there.
  const git::IndexView* inside_index = nullptr;
  /// Literal files or directories from the root, without "." and empty components; a trailing '/'
  /// asks for a directory. Empty for the whole view. The tree is then the tip's, with only those
  /// taken from the view.
  std::vector<std::string> paths;
  /// As for `git add --force`: nothing is ignored.
  bool include_ignored = false;
  SnapshotPurpose purpose = SnapshotPurpose::commit;
  UntrackedNames untracked = UntrackedNames::collapsed;
  /// For a status: leaves out of submodules what the configuration says; else all is told.
  bool heed_submodule_ignore = false;
  /// Where the view is mounted: absolute paths below it in a nested repository's `.git` file are
  /// looked up in the view. Empty for a view that never was mounted.
  std::filesystem::path mountpoint;
  CoveredCheckout covered = {};  ///< what the view covers inside; nothing, unless it is in place
  /// Where external filters run; asked once, for the first file that has one. Without it they run
  /// in the upper.
  std::function<std::filesystem::path()> filter_directory = {};
};

/// A change of the view against the tip, in the form that status needs. Where the new state can't
/// be a Git object (a fifo, an unreadable file, modified content in a submodule), the new oid is
/// zero.
struct ViewChange {
  git::TreeChange change;
  bool untracked = false;  ///< the tip has no such path
};

struct Snapshot {
  git::Oid tree;                    ///< what `git add -A [-- paths] && git write-tree` gives
  std::vector<ViewChange> changes;  ///< tip -> view, in index order; whole paths, no collapsing
  /// Untracked names in byte order, as `git status --porcelain` shows them.
  std::vector<std::string> untracked;
  std::vector<std::string> warnings;  ///< as git would print them, without "warning: "
  /// Why `git add` would refuse to go on, one sentence each: unreadable files, special files in
  /// place of tracked ones, names that git forbids, nested repositories without a commit. `tree`
  /// has the tip's version of those, and must not be committed.
  std::vector<std::string> errors;
  /// Directories of the upper that may not be read, or have longer paths than the kernel takes, as
  /// git warns of them (and so do `warnings`): what is in there may be work. The tree has the tip's
  /// version of them.
  std::vector<std::string> unreadable;
  /// Submodules with changes inside, which no commit of this repository can have, as far as the
  /// configuration has status tell of them (for a status: as `heed_submodule_ignore` says).
  std::vector<std::string> modified_submodules;
  /// Submodules whose repository lies in the upper, not in the base: their commits exist nowhere
  /// else.
  std::vector<std::string> repositories;
  std::vector<std::string> unmatched_paths;  ///< of `paths`: match nothing in view or tip
  std::vector<std::string> ignored_paths;    ///< of `paths`: ignored, and nothing tracked in them
  git::IndexFile index;  ///< stat data for the next snapshot, with the new tree's entries
  /// What the files of the view hold that were read for this or an earlier snapshot and are blobs
  /// just as they are. Whether an object store has those is another matter.
  git::IndexFile seen;
  bool seen_anew = false;  ///< some of them had to be read
};

}  // namespace wafers
