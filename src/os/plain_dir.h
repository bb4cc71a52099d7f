#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace wafers {

/// A file or directory can't be looked at or read: the message names it.
class Unreadable : public Error {
 public:
  using Error::Error;
  Unreadable(int errnum, std::string_view doing) : Error(Error::system(errnum, doing)) {}
};

/// A name was there a moment ago and is gone, or is something else now: the directory's owner is at
/// work. Look the name up again.
class ChangedMeanwhile : public Error {
 public:
  using Error::Error;
};

/// A directory held open by descriptor, whose owner may change it at any time and isn't trusted:
/// children are reached relative to the descriptor and symlinks are never followed. Names are
/// single components. Everything throws Error(failed) naming the path, and ChangedMeanwhile where
/// the name isn't (or isn't any longer) of the kind that was asked for.
class PlainDir {
 public:
  /// `what` names the tree in messages: "the base", "the upper".
  static PlainDir open(const std::filesystem::path& directory, std::string what);

  /// Extended attributes with which an entry isn't what it looks like.
  struct RefusedMarks {
    const char* directory;
    const char* file;
  };
  /// From now on children that have such an attribute, and theirs, are Unreadable. `marks` is
  /// borrowed and must live on.
  void refuse(const RefusedMarks& marks) noexcept { refused_ = &marks; }

  PlainDir open_directory(const std::string& name) const;
  /// Absent where there is no such directory (nothing there, or something else).
  std::optional<PlainDir> find_directory(const std::string& name) const;

  /// All names but "." and "..", in byte order, each one once.
  std::vector<std::string> names() const;

  /// fstatat(2) without following; absent where there is no such name.
  std::optional<struct stat> stat(const std::string& name) const;

  /// Opens a regular file for reading. Never blocks: where a fifo or device took the name's place
  /// it is opened with O_NONBLOCK, seen for what it is, and closed again.
  UniqueFd open_file(const std::string& name, struct stat* stat_out) const;
  /// The same; absent where there is no such regular file.
  std::optional<UniqueFd> find_file(const std::string& name, struct stat* stat_out) const;

  std::string read_link(const std::string& name) const;

  int fd() const noexcept { return fd_.get(); }
  /// From the root of the tree, "" for the root.
  const std::string& path() const noexcept { return path_; }
  std::string path_of(const std::string& name) const;

 private:
  PlainDir(UniqueFd fd, std::string path, std::string what);
  void require_no_mark(int fd, const char* attribute, const std::string& name) const;
  [[noreturn]] void fail(int errnum, const std::string& doing, const std::string& name) const;

  UniqueFd fd_;
  std::string path_;
  std::string what_;
  const RefusedMarks* refused_ = nullptr;
};

}  // namespace wafers
