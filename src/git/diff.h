#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "git/repository.h"

namespace wafers::git {

enum class DiffFormat { patch, stat, name_only, name_status };

struct DiffOptions {
  DiffFormat format = DiffFormat::patch;
  bool colour = false;
  std::vector<std::string> paths;  ///< files or directories, literal; empty for all
  int stat_width = 80;             ///< columns for DiffFormat::stat
};

/// Diff of two trees as `git diff --binary` prints it (renames found, as diff.renames has it by
/// default), through `out` piece by piece. Objects are read from `objects`, so trees may be in
/// memory. Returns the number of files that differ. Throws Error(failed).
std::size_t write_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                       const Oid& new_tree, const DiffOptions& options,
                       const std::function<void(std::string_view)>& out);

struct DiffCounts {
  std::size_t files = 0, insertions = 0, deletions = 0;
  /// " 1 file changed, 2 insertions(+), 1 deletion(-)", as git's --shortstat; empty for no files.
  std::string summary() const;
};
DiffCounts count_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                      const Oid& new_tree);

/// One path of a diff with renames found.
struct NamedChange {
  char letter = 'M';  ///< as `git diff --name-status` has it: A, C, D, M, R or T
  std::string path;
  std::string old_path;  ///< where it was renamed or copied from; else empty
};
std::vector<NamedChange> named_changes(const Repository& repository, ObjectStore& objects,
                                       const Oid& old_tree, const Oid& new_tree);

/// The paths that differ, without rename detection, in index order. Equal subtrees are not read.
std::vector<TreeChange> changed_paths(ObjectStore& objects, const Oid& old_tree,
                                      const Oid& new_tree);

}  // namespace wafers::git
