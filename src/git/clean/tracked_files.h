#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "git/index/index_view.h"

namespace wafers::git {

// What a worktree's files are besides their content, by an index that git has just refreshed.

/// What of a worktree has one owner.
struct OwnedFiles {
  uid_t uid = 0;
  gid_t gid = 0;
  std::size_t files = 0;
  std::size_t directories = 0;  ///< without the worktree itself
  std::string first;            ///< by name; a directory ends in '/'
};

// What is of other owners than the caller's effective user and group: in a user namespace that
// doesn't map these it can't be copied up (EOVERFLOW). One for each owner, by `first`.

/// Directories with tracked files. Looks at each of them; the index tells their names alone.
std::vector<OwnedFiles> directories_of_others(const IndexView& index,
                                              const std::filesystem::path& worktree);

/// Tracked files, added to `directories`. What the index only assumes to be there isn't looked at.
std::vector<OwnedFiles> files_of_others(const IndexView& index,
                                        const std::filesystem::path& worktree,
                                        const std::vector<OwnedFiles>& directories);

/// Tracked files that are another one's hard link; other names of a file are nobody's business.
struct HardLinks {
  std::size_t count = 0;
  std::vector<std::string> first;  ///< at most kFew
  static constexpr std::size_t kFew = 4;
};
HardLinks hard_links(const IndexView& index, const std::filesystem::path& worktree);

}  // namespace wafers::git
