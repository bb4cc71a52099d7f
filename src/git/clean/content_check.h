#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// Files whose stat data in the index proves nothing and whose content was found to be what the
/// index says: a small index of its own, with stat data of their present. The next check then
/// needn't read them again, although git can't be told.
struct VerifiedFiles {
  IndexFile files;
  std::uint64_t bytes_read = 0;  ///< to verify those that an earlier check had not

  /// Replaces what is remembered at `path`, if there was more to read than writing it is worth.
  /// Makes the directory. What can't be written is read again next time, so nothing is thrown.
  void remember(const std::filesystem::path& path) const noexcept;
};

struct ContentResult {
  std::vector<const IndexRecord*> different;
  VerifiedFiles verified;
};

/// Which of `suspicious` (regular files and symlinks of the worktree) would become another blob
/// than the index has. What was verified before and remembered at `memory` isn't read again; all
/// else is, on all cores, except where a filter program has to run. Throws Error(failed).
ContentResult check_contents(const Repository& repository, ObjectStore& objects,
                             const IndexView& index,
                             const std::vector<const IndexRecord*>& suspicious,
                             const std::filesystem::path& memory);

}  // namespace wafers::git
