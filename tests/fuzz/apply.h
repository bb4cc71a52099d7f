#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "operation.h"

namespace wafers::fuzz {

/// Does operations on files below one directory, in a view or in a plain copy: the same code for
/// both. It never leaves that directory, whatever symlinks the operations made.
///
///   write PATH DATA       truncates and writes, makes the directories on the way
///   save PATH DATA        as editors do: a temporary file, then a rename
///   append PATH DATA
///   rewrite PATH          the same content, written once more
///   open PATH             for writing, and nothing else: an overlay copies the file up
///   touch PATH
///   truncate PATH SIZE
///   chmod PATH MODE       octal
///   unlink PATH
///   rmtree PATH
///   mkdir PATH            and the directories on the way
///   symlink PATH TARGET
///   link PATH NEW         a hard link
///   rename PATH NEW       as mv -T: copies and deletes where the kernel says EXDEV
///   fifo PATH
///   socket PATH
///   repository PATH       a Git repository with two commits, the first one checked out
///   unborn PATH           one without a commit
///   advance PATH          moves the repository there to its second commit
class Applier {
 public:
  /// `repository` is the template of the Git repositories. `first_time` counts up for each
  /// operation, and is what it leaves as the time of the files; 0: the time of writing.
  Applier(const std::filesystem::path& root, std::filesystem::path repository,
          std::int64_t first_time);

  /// Returns 0 or an errno. Throws std::runtime_error for what is no operation.
  int apply(const Operation& operation);

 private:
  struct Place;

  Place place(const std::string& path) const;
  Place place_made(const std::string& path) const;
  UniqueFd open_file(const std::string& path, int flags) const;
  void stamp(const std::string& path) const;
  void stamp_tree(int dirfd, const std::string& name) const;
  void write(const std::string& path, int flags, const std::string& data) const;
  void save(const std::string& path, const std::string& data) const;
  void rewrite(const std::string& path) const;
  void change_mode(const std::string& path, const std::string& mode) const;
  void rename(const std::string& from, const std::string& to) const;
  void make_special(const std::string& path, unsigned type) const;
  void make_repository(const std::string& path, bool with_commits) const;
  void advance(const std::string& path) const;
  void run(const Operation& operation) const;

  UniqueFd root_;
  std::filesystem::path repository_;
  std::int64_t time_;
};

}  // namespace wafers::fuzz
