#pragma once

#include <filesystem>
#include <string>

namespace wafers::test {

/// A directory of its own below $TMPDIR, removed with everything in it at the end of the scope.
class TempDir {
 public:
  /// `name` is the directory's last component, below a unique one: for tests with odd characters.
  explicit TempDir(const std::string& name = {});
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  /// Absolute, symlinks resolved.
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const {
    return path_ / below;
  }

 private:
  std::filesystem::path top_;
  std::filesystem::path path_;
};

/// Removes `top` and everything below it, also directories of mode 000 and trees deeper than
/// PATH_MAX; symlinks aren't followed. What can't be removed (another user's files, mountpoints)
/// stays. Returns whether nothing is left.
bool remove_tree(const std::filesystem::path& top);

}  // namespace wafers::test
