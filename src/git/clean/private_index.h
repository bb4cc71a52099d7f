#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// A copy of a repository's index, for git to refresh: the repository's own is never written. What
/// git has learnt of files whose stat data were stale is remembered until the repository's index
/// changes, so that they are read once.
class PrivateIndex {
 public:
  /// Makes the copy at `path`, where nothing is yet: of what remember() has left in the directory
  /// `memory`, if it came of this very index, else of the index itself. Where the repository has
  /// none there is no copy either. Throws Error(failed).
  PrivateIndex(const Repository& repository, std::filesystem::path path,
               std::filesystem::path memory);

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Whether git has written the copy anew.
  bool is_refreshed() const noexcept;

  /// Takes the index itself in the place of what was remembered. False where that was so already.
  /// Throws Error(failed).
  bool forget();

  /// Reads the copy, or the index itself in its place where what was remembered is damaged. Throws
  /// Error(failed) naming the repository's index.
  IndexView open();

  /// What is known of the repository's index by a name, of letters, digits and '-'.
  bool knows(const std::string& fact) const;
  void learn(const std::string& fact) { learnt_.insert(fact); }

  /// Moves the copy into the memory, and what was learnt, where they replace those of earlier
  /// indexes; not where the index is small and git had little to read. Makes the directory. Nothing
  /// is thrown: what can't be remembered is read again next time.
  void remember() const noexcept;

 private:
  enum class Memory { believed, forgotten };
  void take(Memory memory);
  void copy(int fd, const struct stat& st) const;
  bool saves_reading() const;
  void write_facts() const;
  void forget_earlier_indexes() const;
  std::filesystem::path remembered() const { return memory_ / (repository_ + "-" + version_); }
  std::filesystem::path noted(const std::string& fact) const {
    return memory_ / (repository_ + "-" + version_ + "." + fact);
  }

  std::filesystem::path index_;
  std::filesystem::path path_;
  std::filesystem::path memory_;
  std::string repository_;  ///< what the memory's files of this repository begin with
  std::string version_;     ///< of its index; empty where there is none
  std::set<std::string> learnt_;
  bool is_remembered_ = false;
  ino_t taken_ = 0;  ///< the copy's inode, until git replaces it
};

}  // namespace wafers::git
