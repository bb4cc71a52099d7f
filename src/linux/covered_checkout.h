#pragma once

#include <filesystem>
#include <optional>

namespace wafers {

// A wafer that was added in place shows its view at its checkout's own path, too: in its namespace.
// What that covers is reached at a path of wafers' own there, the same for all such wafers, since
// each has a namespace to itself. In the state directory:
//
//   .covered/   outside empty and closed (0555); inside a small file system of its own, read-only
//   checkout    inside alone: the checkout, of which nothing but .git can be written
//   place       inside alone: a symlink to where the checkout is outside

/// Its name in the state directory.
inline constexpr const char* kCoveredPlace = ".covered";

/// A checkout that a view covers.
struct CoveredCheckout {
  std::filesystem::path place;    ///< where it is outside, and the view inside; empty: nothing is
  std::filesystem::path reached;  ///< where it is inside

  /// By what name that is reached inside which has the name `path` outside, and the way back. What
  /// isn't covered has one name.
  std::filesystem::path inside(const std::filesystem::path& path) const;
  std::filesystem::path outside(const std::filesystem::path& path) const;
};

/// What a view at `place` covers, of a wafer in the state directory `root`.
CoveredCheckout covered_checkout(const std::filesystem::path& place,
                                 const std::filesystem::path& root);

/// What is covered for this process; absent where that is nothing. Costs one system call then.
std::optional<CoveredCheckout> find_covered_checkout(const std::filesystem::path& root);

/// What there is outside, made if it is missing. Throws Error(failed).
void bar_covered_checkout(const std::filesystem::path& root);

/// For a mount namespace in which the caller has CAP_SYS_ADMIN: has the view that is mounted at
/// `mountpoint` cover the checkout at `place`, no component of which may be a symlink. Throws
/// Error(failed).
void cover_checkout(const std::filesystem::path& place, const std::filesystem::path& mountpoint,
                    const std::filesystem::path& root);

/// Mounts the view at `place` again, after it was unmounted there alone. Throws Error(failed).
void cover_again(const CoveredCheckout& covered, const std::filesystem::path& mountpoint);

}  // namespace wafers
