#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "os/plain_dir.h"

namespace wafers {

/// How an upperdir writes down what is deleted or replaced.
/// Sources: Documentation/filesystems/overlayfs.rst (kernel); fuse-overlayfs(1) and its main.c.
enum class UpperDialect : int {
  kernel_user,     ///< kernel overlay mounted with `userxattr`: whiteout 0:0, user.overlay.opaque
  kernel_trusted,  ///< kernel overlay with trusted.overlay.*; reading it needs CAP_SYS_ADMIN
  fuse,            ///< fuse-overlayfs 1.x: any of its whiteout and opaque forms
};

std::string_view to_string(UpperDialect dialect);

enum class UpperEntryType {
  regular,
  directory,
  symlink,
  whiteout,  ///< the name is deleted: whatever lies below it in the lowerdir is hidden
  special,   ///< fifo, socket or device of the user's own: Git has no such thing
};

/// One name of an upper directory. Names are raw bytes without '/' or NUL, never "." or "..".
struct UpperEntry {
  std::string name;
  UpperEntryType type = UpperEntryType::regular;
  struct stat stat {};  ///< fstatat(2) without following; all zero for a whiteout
};

/// What one upper directory holds, in byte order of the names. The overlay's own marks (whiteout
/// files, opaque marks, `.wh.*` in the fuse dialect) are already interpreted, as the overlay itself
/// does, and don't show up as names. Where a whiteout and a real entry have one name, the whiteout
/// hides both.
struct UpperListing {
  bool opaque = false;  ///< nothing of the lowerdir shows through
  std::vector<UpperEntry> entries;
};

/// One directory of an upper, held open by descriptor. The upper's owner may change it at any time
/// and is not trusted: children are opened relative to the descriptor, never following a symlink.
/// Works in any namespace that can read the files.
class UpperDir {
 public:
  /// Opens the root of an upper. Throws Error(failed) where it can't be opened, and
  /// Error(unsupported) where `dialect` can't be read by this process (kernel_trusted without
  /// CAP_SYS_ADMIN in the initial user namespace: the marks would silently be missing).
  static UpperDir open(const std::filesystem::path& upper, UpperDialect dialect);

  /// Opens the child directory `name`. Throws Error(failed), ChangedMeanwhile where it isn't a
  /// directory (any longer), Unreadable where it has a redirect mark, which the kernel refuses too.
  UpperDir open_directory(const std::string& name) const;

  /// Reads the directory and interprets it. A name that vanishes meanwhile is left out, as if it
  /// had been read a moment later. Throws Error(failed) naming what can't be read.
  UpperListing list() const;

  /// Whether nothing of the lowerdir shows through. Throws Error(failed).
  bool opaque() const;

  /// What list() says of one name, looked up anew; absent where the upper has nothing to say.
  std::optional<UpperEntry> find(const std::string& name) const;

  /// Opens the regular file `name` for reading, never blocking on a fifo or device that replaced it
  /// (O_NONBLOCK, then fstat). Throws Error(failed), ChangedMeanwhile where it is no regular file,
  /// Unreadable where it has the mark of a file without its data, which the kernel refuses too.
  UniqueFd open_file(const std::string& name, struct stat* stat_out) const;

  /// Target of the symlink `name`. Throws Error(failed).
  std::string read_link(const std::string& name) const;

  int fd() const noexcept { return dir_.fd(); }
  UpperDialect dialect() const noexcept { return dialect_; }
  /// Path relative to the upper's root, "" for the root; for messages.
  const std::string& path() const noexcept { return dir_.path(); }
  /// The directory without the overlay's interpretation.
  const PlainDir& plain() const noexcept { return dir_; }

 private:
  UpperDir(PlainDir dir, UpperDialect dialect);

  PlainDir dir_;
  UpperDialect dialect_ = UpperDialect::kernel_user;
};

/// Throws Error(unsupported) where a component of `path` is a name that the dialect takes for a
/// mark of its own.
void require_showable(std::string_view path, UpperDialect dialect);

/// Puts a whiteout for `name` into the directory `dirfd`: a character device 0:0 (mknod(2): allowed
/// without privilege since Linux 5.8), else, in the fuse dialect only, a file `.wh.<name>`.
/// Throws Error(failed).
void make_whiteout(int dirfd, const std::string& name, UpperDialect dialect);

/// Takes the whiteout of `name` away, whatever its form is. Throws Error(failed).
void remove_whiteout(int dirfd, const std::string& name, UpperDialect dialect);

/// Marks the directory `dirfd` opaque in the dialect's own way. Throws Error(failed).
void make_opaque(int dirfd, UpperDialect dialect);

}  // namespace wafers
