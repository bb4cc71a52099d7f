#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linux/upper.h"
#include "os/plain_dir.h"

namespace wafers {

/// One directory as an overlay shows it that is made of these layers: the upper over the base, or
/// the base's delta layers over its lowest. For looking up single names; whole views are walked by
/// ViewWalk.
class MergedDir {
 public:
  /// A directory that doesn't exist().
  MergedDir() = default;
  /// One without layers of its own.
  explicit MergedDir(PlainDir plain) : plain_(std::move(plain)) {}
  /// Whatever exists of `upper` and `lower`, the one over the other.
  MergedDir(std::optional<UpperDir> upper, std::optional<MergedDir> lower);

  /// The root of a base: `layers` topmost first, all but the last of them with the marks of
  /// `dialect`. Throws Error(failed) where one can't be opened.
  static MergedDir open_base(const std::vector<std::filesystem::path>& layers,
                             UpperDialect dialect);

  bool exists() const noexcept { return !marked_.empty() || plain_; }

  /// The child directory; one that doesn't exist() where the layers show none.
  MergedDir directory(const std::string& name) const;
  /// The same; absent where there is none.
  std::optional<MergedDir> find_directory(const std::string& name) const;
  /// As directory(), for several components. A path of PATH_MAX bytes or more leads nowhere, as the
  /// kernel has it: git could open nothing there either.
  MergedDir descend(std::string_view path) const;

  /// All names that show, in byte order.
  std::vector<std::string> names() const;

  /// The layer's directory whose entry of that name shows, if any does; null where a mark hides it
  /// or no layer but the lowest can have it and there is none.
  const PlainDir* holder_of(const std::string& name) const;

  /// fstatat(2) of what shows, without following; absent where nothing does.
  std::optional<struct stat> stat(const std::string& name) const;
  bool has(const std::string& name) const { return stat(name).has_value(); }

  /// Content of a regular file; absent where there is none, it can't be read or is larger.
  std::optional<std::string> file(const std::string& name, std::size_t largest,
                                  struct stat* stat_out = nullptr) const;

  /// Target of a symlink; absent where there is none.
  std::optional<std::string> link(const std::string& name) const;

 private:
  void add_below(std::vector<UpperDir> marked, std::optional<PlainDir> plain);

  std::vector<UpperDir> marked_;   ///< topmost first; only the last may be opaque
  std::optional<PlainDir> plain_;  ///< only where it shows through
};

/// Content of the regular file `name` of `dir`; absent where there is none, it is larger than
/// `largest` or changes its size meanwhile. Throws Error(failed) where it can't be read.
std::optional<std::string> read_small_file(const PlainDir& dir, const std::string& name,
                                           std::size_t largest, struct stat* stat_out = nullptr);

}  // namespace wafers
