#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "git/repository.h"

namespace wafers {

/// The files of a sparse checkout that aren't in the base's worktree: entries of its index marked
/// skip-worktree. The view doesn't show them either, and that doesn't mean that they were deleted.
class SparsePaths {
 public:
  /// Empty unless core.sparseCheckout is on. Throws Error(failed) for a damaged index.
  static SparsePaths of(const git::Repository& repository);

  bool empty() const noexcept { return paths_.empty(); }
  bool contains(std::string_view path) const;
  /// Whether some path starts with `prefix`, which ends in '/'.
  bool any_below(std::string_view prefix) const;

 private:
  std::vector<std::string> paths_;  ///< sorted
};

}  // namespace wafers
