#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "linux/upper.h"
#include "os/plain_dir.h"

namespace wafers {

/// One directory of the merged view as the overlay would show it: the upper's over the lower's, any
/// of the two or both. For looking up single names; whole directories are walked by ViewWalk.
class MergedDir {
 public:
  /// Which of both exist; neither gives a directory without entries.
  MergedDir(std::optional<UpperDir> upper, std::optional<PlainDir> lower);

  bool exists() const noexcept { return upper_ || lower_; }

  /// The child directory; one that doesn't exist() where the view shows none.
  MergedDir directory(const std::string& name) const;
  /// As directory(), for several components. A path of PATH_MAX bytes or more leads nowhere, as the
  /// kernel has it: git could open nothing there either.
  MergedDir descend(std::string_view path) const;

  /// Whether the view shows anything of that name.
  bool has(const std::string& name) const;

  /// Content of a regular file; absent where there is none, it can't be read or is larger.
  std::optional<std::string> file(const std::string& name, std::size_t largest,
                                  struct stat* stat_out = nullptr) const;

  /// Target of a symlink; absent where there is none.
  std::optional<std::string> link(const std::string& name) const;

  /// Whether the upper says something of the name: a file, directory or whiteout.
  bool touched(const std::string& name) const;

 private:
  const PlainDir* holder_of(const std::string& name) const;

  std::optional<UpperDir> upper_;
  std::optional<PlainDir> lower_;  ///< only where it shows through
};

/// Content of the regular file `name` of `dir`; absent where there is none, it is larger than
/// `largest` or changes its size meanwhile. Throws Error(failed) where it can't be read.
std::optional<std::string> read_small_file(const PlainDir& dir, const std::string& name,
                                           std::size_t largest, struct stat* stat_out = nullptr);

}  // namespace wafers
