#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers::git {

/// A SHA-1 object name. All zero means "none".
struct Oid {
  static constexpr std::size_t kSize = 20;
  std::array<std::uint8_t, kSize> bytes{};

  // clang-tidy 14 takes what the compiler compares with 0 here for a pointer.
  auto operator<=>(const Oid&) const = default;  // NOLINT(modernize-use-nullptr)
  bool is_zero() const noexcept { return *this == Oid{}; }
  /// From the first kSize bytes, of which there must be that many.
  static Oid from_bytes(std::string_view bytes) {
    Oid oid;
    std::memcpy(oid.bytes.data(), bytes.data(), kSize);
    return oid;
  }
  /// 40 lower-case hexadecimal digits.
  std::string hex() const;
  /// From exactly 40 hexadecimal digits, else nullopt.
  static std::optional<Oid> from_hex(std::string_view hex);
};

/// The modes that a Git tree can hold (gitformat-index(5), git-fast-import(1)).
enum class FileMode : std::uint32_t {
  absent = 0,
  tree = 0040000,
  regular = 0100644,
  executable = 0100755,
  symlink = 0120000,
  gitlink = 0160000,
};

/// Whether `mode` is stored as a blob: regular, executable or symlink.
bool is_blob(FileMode mode);
/// A file that is no symlink, executable or not.
bool is_regular(FileMode mode);
/// Six octal digits as in `git ls-tree`: "100644", "040000".
std::string to_octal(FileMode mode);

struct TreeEntry {
  std::string name;  ///< raw bytes, no '/'
  FileMode mode = FileMode::absent;
  Oid oid;

  bool operator==(const TreeEntry&) const = default;
};

/// Git's order of names within one tree: as bytes, a directory as if its name ended in '/'.
bool tree_order_less(const TreeEntry& a, const TreeEntry& b);

/// One path that differs between two trees. A type change (file to symlink, file to gitlink) is one
/// change; a file that became a directory is a deletion and additions.
struct TreeChange {
  std::string path;  ///< from the root, raw bytes
  FileMode old_mode = FileMode::absent;
  FileMode new_mode = FileMode::absent;
  Oid old_oid;
  Oid new_oid;
};

}  // namespace wafers::git
