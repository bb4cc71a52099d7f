#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// What git's untracked cache knows (git-update-index(1), "UNTRACKED CACHE"; extension UNTR of
/// gitformat-index(5)): the untracked files that git found in each directory, for as long as the
/// directory and the ignore rules stay what they were. Points into its IndexView.
class UntrackedCache {
 public:
  struct Directory {
    std::string_view name;
    /// What git found holds for as long as `stat` does, or core.fsmonitor says that it does.
    bool valid = false;
    /// Git stopped at the first untracked file.
    bool check_only = false;
    std::size_t untracked_count = 0;  ///< names in it that are untracked and not ignored
    IndexStat stat;
    std::optional<Oid> ignore_file;           ///< of its .gitignore, if there was one
    std::vector<std::size_t> subdirectories;  ///< that git looked into; sorted by name
  };

  /// nullopt where there is none in force: the index has none, core.untrackedCache is off, it is of
  /// another place, or the rules from outside of the worktree, whose texts are given, have changed.
  static std::optional<UntrackedCache> read(const Repository& repository, const IndexView& index,
                                            std::string_view excludes_file,
                                            std::string_view info_exclude);

  const Directory& root() const { return directories_.front(); }
  /// Null where git didn't look into it.
  const Directory* find(const Directory& parent, std::string_view name) const;
  const Directory& at(std::size_t number) const { return directories_[number]; }

  /// Whether an ignore file with this content, none if it is absent, is the one that a recorded
  /// name stands for: a blob's, or, of a file that wasn't tracked, one with a newline added
  /// (dir.c: add_patterns).
  static bool is_same_file(const std::optional<Oid>& recorded,
                           const std::optional<std::string>& content);

 private:
  UntrackedCache() = default;
  std::vector<Directory> directories_;
};

}  // namespace wafers::git
