#pragma once

#include <ctime>
#include <filesystem>
#include <string_view>

#include "base/fd.h"
#include "git/objects/shared_mode.h"

namespace wafers::git {

/// git's way to change a file: `<file>.lock`, made exclusively, holds the new content and is
/// renamed over the file. Removed by the destructor where it was not committed.
///
/// A process that is killed leaves its lock, which looks like one in use. Ours appear
/// with all their content, with an mtime that no other program gives a file, and with an flock(2)
/// that ends with the process: a lock with that mtime and without the flock is a dead one of
/// wafers', and goes. Any other lock stays. Where a file system has no O_TMPFILE, a kill in the
/// moment of making it leaves a lock that looks like another program's.
class LockFile {
 public:
  /// Waits up to a second for another process' lock, then throws Error(busy). Makes the directories
  /// above. Throws Error(failed).
  LockFile(std::filesystem::path file, const SharedMode& shared, std::string_view content);
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  /// The content is on disk before the name is.
  void commit();

  /// For what can be made again: nothing waits for the disk, and the file gets `modified` as its
  /// mtime.
  void commit_unsynced(timespec modified);

 private:
  void take_place(const timespec* times);
  void prepare(const SharedMode& shared, std::string_view content);
  int try_to_take(const SharedMode& shared, std::string_view content);

  std::filesystem::path file_, lock_;
  UniqueFd fd_;
  bool taken_ = false;
};

/// Removes `<file>.lock` where it is a dead one of wafers'. Throws nothing: the caller who needs
/// the lock hears of what is in the way.
void take_away_dead_lock(const std::filesystem::path& file) noexcept;

/// Removes `directory` and what is in it if that is nothing but empty directories, as git does
/// where a ref's or reflog's name is taken by them. Returns whether it is gone.
bool remove_empty_tree(const std::filesystem::path& directory);

/// Removes `directory` and those above it, up to but without `top`, while they are empty.
void remove_empty_parents(std::filesystem::path directory, const std::filesystem::path& top);

}  // namespace wafers::git
