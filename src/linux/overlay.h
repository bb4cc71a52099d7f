#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace wafers {

/// In which extended attributes the kernel keeps an overlay's marks.
enum class OverlayXattrs {
  user,     ///< `userxattr`: any owner of the upper may read and write them (Linux 5.11)
  trusted,  ///< needs CAP_SYS_ADMIN in the initial user namespace, also to be read
};

/// One overlay to be mounted. Paths are absolute and may hold any byte.
struct OverlaySpec {
  /// Directories, topmost first; all but the last may hold marks of `xattrs`. Linux 5.11 for
  /// several with user xattrs.
  std::vector<std::filesystem::path> lowers;
  std::filesystem::path upper;
  std::filesystem::path work;  ///< on the same file system as upper
  std::filesystem::path mountpoint;
  std::string source;  ///< what the mount table shows as its source
  OverlayXattrs xattrs = OverlayXattrs::user;
  /// Nothing is synced: neither what is copied up, nor by an fsync(2) in the view, nor by the
  /// unmount (Linux 5.10). What is on the disk after a crash of the host is not known.
  bool is_volatile = false;
  int mountpoint_fd = -1;  ///< the mountpoint, open: what is mounted on if it isn't -1
};

/// Mounts it in the caller's mount namespace: nodev, nosuid, and noexec where a lower is. The
/// upper and work directory must be directories, not symlinks, and are mounted as such: whoever
/// works in a view can put others in their place, but none that lead elsewhere. An
/// upper or work directory that is in use by another overlay anywhere is refused with EBUSY
/// (index=on). A work directory that was made for another lower or upper gives ESTALE, see
/// forget_origin(). Throws Error(failed).
void mount_overlay(const OverlaySpec& spec);

/// Lets an upper be mounted on a base that was made anew (a fresh clone, a restored backup), with
/// an empty work directory, or be another one than what it was copied from: drops the handle of the
/// old base, and the overlay's own id, from the upper's root. Must not be called while it is
/// mounted. Throws Error(failed).
void forget_origin(const std::filesystem::path& upper);

/// Takes away the mark that a volatile mount leaves in its work directory, and for which the kernel
/// refuses the next mount (EINVAL) as it can't know whether the host has crashed in between. Does
/// no harm to an overlay that is still mounted. Returns whether there was one. Throws
/// Error(failed).
bool forget_volatile(const std::filesystem::path& work);

/// umount2(2) of exactly this mountpoint, not of what a symlink there leads to. Throws
/// Error(failed); EBUSY while something in it is in use.
void unmount(const std::filesystem::path& mountpoint);
/// Makes what is mounted at `mountpoint` the working directory of this process, by a mount of its
/// own that isn't attached anywhere (open_tree(2), OPEN_TREE_CLONE; Linux 5.2): `mountpoint` can be
/// unmounted, and the file system ends when this process does. Throws Error(failed).
void keep_as_working_directory(const std::filesystem::path& mountpoint);

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
