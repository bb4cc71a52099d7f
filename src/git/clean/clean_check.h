#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "git/clean/content_check.h"
#include "git/clean/worktree_scan.h"
#include "git/repository/repository.h"

namespace wafers::git {

struct CleanReport {
  /// The first entries as `git status --porcelain` would print them, tracked before untracked, at
  /// most `limit`. A staged rename shows as a deletion and an addition.
  std::vector<std::string> first_dirty;
  bool clean() const noexcept { return first_dirty.empty(); }
  /// What belongs to another user or group than the caller's effective ones: in a user namespace
  /// that doesn't map these it can't be copied up (EOVERFLOW). By `first`.
  std::vector<OwnedFiles> of_others;
  /// Tracked files that are another one's hard link, of those that had to be looked at.
  std::size_t hard_link_count = 0;
  std::vector<std::string> first_hard_links;  ///< at most kFewNames
  static constexpr std::size_t kFewNames = 4;
  std::vector<std::string> warnings;  ///< of what may not be looked at, in git's words
  /// Files that had to be read, for the next check to know: the base's index is not ours to write.
  VerifiedFiles verified;
};

/// Whether the worktree equals its HEAD apart from ignored files: index against HEAD's tree,
/// worktree against index, untracked files (whatever status.showUntrackedFiles says), submodules.
/// Uses all cores. What core.fsmonitor and the untracked cache know isn't looked at again, where
/// they are in force. Reads only: neither worktree nor index is written. `memory`: where the
/// `verified` of an earlier report may have been remembered. Throws Error(failed) for what can't be
/// read.
CleanReport check_clean(const Repository& repository, std::size_t limit,
                        const std::filesystem::path& memory = {});

}  // namespace wafers::git
