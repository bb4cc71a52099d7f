#pragma once

#include <sys/types.h>

#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "os/files.h"

namespace wafers {

/// Of directories in a repository: as git makes them, less the umask.
inline constexpr mode_t kSharedMode = 0777;

/// The administrative directory of a view with git inside, held open. An agent may have written
/// anything there, and swap it for something else at any time: no symlink is followed, not even in
/// its place, and nothing waits for a fifo.
class GitDir {
 public:
  /// nullopt where there is no such directory.
  static std::optional<GitDir> find(const std::filesystem::path& path);
  /// Throws Error(failed) where there is none.
  static GitDir open(const std::filesystem::path& path);

  /// The content of a regular file of at most 4 KiB; nullopt where there is none.
  std::optional<std::string> small_file(const std::string& name) const;
  bool has(const std::string& name) const;

  /// Gives a file this content in one step, and `modified` as its mtime, or where that is zero, the
  /// present one. Throws Error(failed).
  void put(const std::string& name, std::string_view content, timespec modified = {}) const;

  /// Adds a line to HEAD's reflog; where there is none, it is made if `begin` says so. Throws
  /// Error(failed).
  void append_to_head_log(std::string_view line, bool begin) const;

  int fd() const noexcept { return fd_.get(); }
  /// For messages.
  std::string path_of(const std::string& name) const { return (path_ / name).native(); }
  /// Where this process reaches a file of it by a path, whatever is in the directory's place by
  /// now.
  std::filesystem::path reach(const std::string& name) const {
    return std::filesystem::path(path_of_fd(fd_.get())) / name;
  }

 private:
  GitDir(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  UniqueFd fd_;
};

}  // namespace wafers
