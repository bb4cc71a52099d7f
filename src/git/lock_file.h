#pragma once

#include <filesystem>
#include <string_view>

#include "base/fd.h"
#include "git/shared_mode.h"

namespace wafers::git {

/// git's way to change a file: `<file>.lock`, made exclusively, holds the new content and is
/// renamed over the file. Removed by the destructor where it was not committed.
class LockFile {
 public:
  /// Waits up to a second for another process' lock, then throws Error(busy). Makes the directories
  /// above. Throws Error(failed).
  LockFile(std::filesystem::path file, const SharedMode& shared);
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  void write(std::string_view content);
  /// The content is on disk before the name is.
  void commit();

 private:
  std::filesystem::path file_, lock_;
  UniqueFd fd_;
};

/// Removes `directory` and what is in it if that is nothing but empty directories, as git does
/// where a ref's or reflog's name is taken by them. Returns whether it is gone.
bool remove_empty_tree(const std::filesystem::path& directory);

/// Removes `directory` and those above it, up to but without `top`, while they are empty.
void remove_empty_parents(std::filesystem::path directory, const std::filesystem::path& top);

}  // namespace wafers::git
