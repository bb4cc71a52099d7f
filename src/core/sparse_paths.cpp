#include "core/sparse_paths.h"

#include <algorithm>

#include "git/index_file.h"

namespace wafers {

SparsePaths SparsePaths::of(const git::Repository& repository) {
  SparsePaths sparse;
  if (!repository.config_bool("core.sparseCheckout", false)) return sparse;
  const auto index = git::IndexFile::read(repository.git_dir() / "index");
  if (!index) return sparse;
  for (const git::IndexEntry& entry : index->entries) {
    if (entry.skip_worktree) sparse.paths_.push_back(entry.path);
  }
  std::sort(sparse.paths_.begin(), sparse.paths_.end());
  return sparse;
}

bool SparsePaths::contains(std::string_view path) const {
  return std::binary_search(paths_.begin(), paths_.end(), path);
}

bool SparsePaths::any_below(std::string_view prefix) const {
  const auto first = std::lower_bound(paths_.begin(), paths_.end(), prefix);
  return first != paths_.end() && first->starts_with(prefix);
}

}  // namespace wafers
