#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace wafers {

/// In which extended attributes the kernel keeps an overlay's marks.
enum class OverlayXattrs {
  user,     ///< `userxattr`: any owner of the upper may read and write them (Linux 5.11)
  trusted,  ///< needs CAP_SYS_ADMIN in the initial user namespace, also to be read
};

/// One overlay to be mounted. Paths are absolute and may hold any byte.
struct OverlaySpec {
  std::filesystem::path lower;
  std::filesystem::path upper;
  std::filesystem::path work;  ///< on the same file system as upper
  std::filesystem::path mountpoint;
  std::string source;  ///< what the mount table shows as its source
  OverlayXattrs xattrs = OverlayXattrs::user;
};

/// Mounts it in the caller's mount namespace: nodev, nosuid, and noexec where the lower is. An
/// upper or work directory that is in use by another overlay anywhere is refused with EBUSY
/// (index=on). A work directory that was made for another lower or upper gives ESTALE, see
/// forget_origin(). Throws Error(failed).
void mount_overlay(const OverlaySpec& spec);

/// Lets an upper be mounted on a base that was made anew (a fresh clone, a restored backup): drops
/// the handle of the old one from the upper's root and everything in the work directory, which
/// holds nothing but the kernel's own notes. Must not be called while it is mounted. Throws
/// Error(failed).
void forget_origin(const std::filesystem::path& upper, const std::filesystem::path& work);

/// Removes a work directory's content, also what the kernel left with mode 000, and keeps the
/// directory. Throws Error(failed).
void clear_work_directory(const std::filesystem::path& work);

/// umount2(2) of exactly this mountpoint, not of what a symlink there leads to. Throws
/// Error(failed); EBUSY while something in it is in use.
void unmount(const std::filesystem::path& mountpoint);
/// Takes it out of the tree now; what is in use lives on unseen until it is let go.
void unmount_lazily(const std::filesystem::path& mountpoint);

/// What tells one mounted view from every other file system of the running kernel.
struct ViewIdentity {
  std::uint64_t device = 0;    ///< st_dev
  std::uint64_t mount_id = 0;  ///< as in mountinfo

  bool operator==(const ViewIdentity&) const = default;
};

/// That of the file system that `path` lies on; absent where it can't be looked at.
std::optional<ViewIdentity> view_identity(const std::filesystem::path& path);

}  // namespace wafers
