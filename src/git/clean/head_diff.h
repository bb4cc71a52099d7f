#pragma once

#include <optional>
#include <string>
#include <vector>

#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// What differs between a commit's tree and an index, as `git status` shows it: in the first column
/// where it is staged, in the second for intended additions, in both for conflicts.
struct StagedChange {
  std::string path;
  char index_column = ' ';
  char worktree_column = ' ';
};

/// Compares HEAD's tree (none on an unborn branch) with the index. Trees whose name the index has
/// cached for the very same directory are not read.
std::vector<StagedChange> compare_with_tree(ObjectStore& objects, const std::optional<Oid>& tree,
                                            const IndexView& index);

}  // namespace wafers::git
