#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "git/repository/repository.h"

namespace wafers::git {

struct DiffCounts {
  std::size_t files = 0, insertions = 0, deletions = 0;
  /// " 1 file changed, 2 insertions(+), 1 deletion(-)", as git's --shortstat; empty for no files.
  std::string summary() const;
};
/// What `git commit` counts: renames are found whatever the configuration says, copies are not.
/// Throws Error(failed).
DiffCounts count_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                      const Oid& new_tree);

/// One path of a diff with renames found.
struct NamedChange {
  char letter = 'M';  ///< as `git diff --name-status` has it: A, C, D, M, R or T
  std::string path;
  std::string old_path;  ///< where it was renamed or copied from; else empty
};
/// As `git status` finds them (status.renames, else diff.renames). Throws Error(failed).
std::vector<NamedChange> named_changes(const Repository& repository, ObjectStore& objects,
                                       const Oid& old_tree, const Oid& new_tree);

/// The paths that differ, without rename detection, in index order. Equal subtrees are not read.
std::vector<TreeChange> changed_paths(ObjectStore& objects, const Oid& old_tree,
                                      const Oid& new_tree);

}  // namespace wafers::git
