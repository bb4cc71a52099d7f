#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace wafers::git {

/// core.sharedRepository: which permissions files in the repository get beyond the umask's
/// (git's path.c: calc_shared_perm).
class SharedMode {
 public:
  /// Throws Error(failed) for a value that git refuses.
  static SharedMode parse(const std::optional<std::string>& value);

  /// Gives the file or directory its permissions. Throws Error(failed).
  void adjust(const std::filesystem::path& path) const;
  /// The same for an open file, which `name` tells of in messages.
  void adjust(int fd, const std::filesystem::path& name) const;
  /// Makes the missing ones of `directory` and its parents.
  void make_directories(const std::filesystem::path& directory) const;

 private:
  mode_t adjusted(mode_t mode) const;

  enum class Kind { umask, added, exact };
  Kind kind_ = Kind::umask;
  mode_t bits_ = 0;
};

}  // namespace wafers::git
