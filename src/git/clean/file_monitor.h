#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// What the program of core.fsmonitor knows of a worktree (githooks(5), "fsmonitor-watchman";
/// git-update-index(1), "FILE SYSTEM MONITOR"): the index says which files were what it has of
/// them, and the program says which ones were touched since.
class FileMonitor {
 public:
  /// Runs the program. nullopt where nothing can be taken from it, and every file is to be looked
  /// at: none is set, or git's own one (`true`), which this git doesn't have on Linux; git has
  /// written no index with it yet; it fails; it says that anything may have changed; letter case
  /// doesn't count. Throws nothing but std::bad_alloc.
  static std::optional<FileMonitor> ask(const Repository& repository, const IndexView& index);

  /// The file of this entry, by its number, is what the index says.
  bool is_unchanged(std::size_t entry) const { return unchanged_[entry]; }

  /// Nothing was touched in the directory ("a/b", "" for the worktree's own), or anywhere below it,
  /// or with a directory that it lies in.
  bool is_quiet(std::string_view directory) const;

 private:
  FileMonitor() = default;
  void touch(std::string_view path, const IndexView& index);

  std::vector<bool> unchanged_;
  std::vector<std::string> touched_;  ///< without a '/' at the end; sorted
};

}  // namespace wafers::git
