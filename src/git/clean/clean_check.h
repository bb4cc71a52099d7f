#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "git/clean/private_index.h"
#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

struct CleanReport {
  /// The first entries as `git status --porcelain` prints them, at most `limit`. A staged rename
  /// shows as a deletion and an addition.
  std::vector<std::string> first_dirty;
  bool clean() const noexcept { return first_dirty.empty(); }
  std::vector<std::string> warnings;  ///< git's, of what may not be looked at
};

/// Whether the worktree equals its HEAD apart from ignored files, by `git status`, whatever
/// status.showUntrackedFiles says. Git may refresh `index`, which then has the stat data of this
/// moment; neither the repository's own index nor those of submodules are written. `meanwhile`,
/// where there is one, is done while git is at work. Throws Error(unsupported) where git is not
/// installed, Error(failed) where it fails, and what `meanwhile` throws.
CleanReport check_clean(const Repository& repository, PrivateIndex& index, std::size_t limit,
                        const std::function<void()>& meanwhile = {});

/// What a worktree has otherwise than its HEAD, staged or not.
struct WorktreeChanges {
  /// Files that are new, changed, deleted or of another type, untracked ones included and ignored
  /// ones not; each once, in byte order. Some may be as HEAD has them: where the index alone
  /// differs.
  std::vector<std::string> paths;
  std::vector<std::string> repositories;  ///< submodules and other repositories among them
  std::vector<std::string> unmerged;      ///< paths with conflicts
  std::vector<std::string> warnings;      ///< as in CleanReport
};

/// All that check_clean() finds, with each file of a directory that is untracked. `meanwhile` and
/// errors as there.
WorktreeChanges list_changes(const Repository& repository, PrivateIndex& index,
                             const std::function<void()>& meanwhile = {});

}  // namespace wafers::git
