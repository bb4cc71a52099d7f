#include "linux/overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {
namespace {

/// A layer's path as the option string gets it. The string has separators of its own, and how they
/// are escaped changed between kernels (a regression with "\," was in 6.5 and 6.6), so such a path
/// goes by a descriptor. Others stay readable in the mount table.
class LayerPath {
 public:
  /// A path of more than `longest` bytes goes by a descriptor, too.
  LayerPath(const std::filesystem::path& path, std::size_t longest) {
    const std::string& text = path.native();
    if (text.size() <= longest && text.find_first_of(",:\\") == std::string::npos) {
      text_ = text;
    } else {
      fd_ = open_anchor(path);
      text_ = path_of_fd(fd_.get());
    }
  }

  const std::string& text() const noexcept { return text_; }

 private:
  UniqueFd fd_;
  std::string text_;
};

/// A directory that the agent can put a symlink in the place of.
UniqueFd open_own_layer(const std::filesystem::path& path) {
  UniqueFd fd = open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) throw_errno("cannot open directory", path.native());
  return fd;
}

/// Documentation/filesystems/overlayfs.rst. `index=on` is what makes the upper exclusive. With
/// trusted xattrs the module's defaults could be otherwise, and would then put redirects and files
/// without data into the upper; with user xattrs the kernel allows neither.
std::string_view fixed_options(OverlayXattrs xattrs) {
  return xattrs == OverlayXattrs::user ? "userxattr,index=on,xino=auto"
                                       : "redirect_dir=nofollow,metacopy=off,index=on,xino=auto";
}

unsigned long mount_flags(const std::vector<std::filesystem::path>& lowers) {
  unsigned long flags = MS_NODEV | MS_NOSUID;
  for (const auto& lower : lowers) {
    struct statvfs status {};
    const bool noexec = ::statvfs(lower.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) != 0;
    if (noexec) flags |= MS_NOEXEC;
  }
  return flags;
}

void umount_or_throw(const std::filesystem::path& mountpoint, int flags) {
  if (::umount2(mountpoint.c_str(), flags | UMOUNT_NOFOLLOW) == 0) return;
  throw_errno("cannot unmount", mountpoint.native());
}

/// A directory below `parent`, in which its owner may do everything; empty where there is none.
/// fchmodat(2) knows no way not to follow symlinks before Linux 6.6.
UniqueFd enter(int parent, const char* name) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd = open_at(parent, name, kFlags);
  if (fd) ::chmod(path_of_fd(fd.get()).c_str(), S_IRWXU);
  return fd;
}

void remove_mark(const std::filesystem::path& upper, const char* name) {
  if (::lremovexattr(upper.c_str(), name) == 0) return;
  const int err = errno;
  // EPERM: trusted.* without CAP_SYS_ADMIN, where there is nothing of ours.
  if (err == ENODATA || err == ENOTSUP || err == EPERM) return;
  throw Error::system(err,
                      "cannot remove " + std::string(name) + " of " + in_quotes(upper.native()));
}

}  // namespace

void mount_overlay(const OverlaySpec& spec) {
  // mount(2) takes one page of options: these and the others fit well.
  const std::size_t longest = 2048 / std::max<std::size_t>(spec.lowers.size(), 1);
  std::vector<LayerPath> layers;
  std::string lowers;
  for (const auto& lower : spec.lowers) {
    lowers += (lowers.empty() ? "" : ":") + layers.emplace_back(lower, longest).text();
  }
  const UniqueFd upper = open_own_layer(spec.upper);
  const UniqueFd work = open_own_layer(spec.work);
  const std::string options = std::string(fixed_options(spec.xattrs)) +
                              (spec.is_volatile ? ",volatile" : "") + ",lowerdir=" + lowers +
                              ",upperdir=" + path_of_fd(upper.get()) +
                              ",workdir=" + path_of_fd(work.get());
  const std::string target =
      spec.mountpoint_fd < 0 ? spec.mountpoint.native() : path_of_fd(spec.mountpoint_fd);
  if (::mount(spec.source.c_str(), target.c_str(), "overlay", mount_flags(spec.lowers),
              options.c_str()) == 0) {
    return;
  }
  throw_errno("cannot mount an overlay on", spec.mountpoint.native());
}

bool forget_volatile(const std::filesystem::path& work) {
  // ovl_create_volatile_dirty() in fs/overlayfs/super.c makes work/incompat/volatile/dirty, all of
  // it with mode 000. The work directory can be reached by the agent: no symlink is followed.
  const UniqueFd outer = open_file(work, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  const UniqueFd inner = outer ? enter(outer.get(), "work") : UniqueFd();
  const UniqueFd features = inner ? enter(inner.get(), "incompat") : UniqueFd();
  const UniqueFd mark = features ? enter(features.get(), "volatile") : UniqueFd();
  if (!mark) return false;
  ::unlinkat(mark.get(), "dirty", 0);
  if (::unlinkat(features.get(), "volatile", AT_REMOVEDIR) != 0) {
    const int err = errno;
    throw Error::system(err,
                        "cannot remove " + in_quotes((work / "work/incompat/volatile").native()));
  }
  ::unlinkat(inner.get(), "incompat", AT_REMOVEDIR);  // stays where more is in it
  return true;
}

void forget_origin(const std::filesystem::path& upper) {
  for (const char* const mark : {"user.overlay.origin", "trusted.overlay.origin",
                                 "user.overlay.uuid", "trusted.overlay.uuid"}) {
    remove_mark(upper, mark);
  }
}

void unmount(const std::filesystem::path& mountpoint) { umount_or_throw(mountpoint, 0); }

void keep_as_working_directory(const std::filesystem::path& mountpoint) {
  const UniqueFd clone(::open_tree(AT_FDCWD, mountpoint.c_str(),
                                   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW));
  if (!clone || ::fchdir(clone.get()) != 0) throw_errno("cannot keep", mountpoint.native());
}

void unmount_lazily(const std::filesystem::path& mountpoint) {
  umount_or_throw(mountpoint, MNT_DETACH);
}

std::optional<ViewIdentity> view_identity(const std::filesystem::path& path) {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID,
              &status) != 0) {
    return std::nullopt;
  }
  return ViewIdentity{::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_mnt_id};
}

}  // namespace wafers
