#include "linux/overlay_trial.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {
namespace {

void check(bool succeeded, const char* doing, const std::filesystem::path& path) {
  if (succeeded) return;
  const int err = errno;
  throw Error::system(err, std::string(doing) + " " + in_quotes(path.native()));
}

[[noreturn]] void unexpected(const std::string& what) { throw Error(ErrorKind::failed, what); }

void make_directory(const std::filesystem::path& path) {
  check(::mkdir(path.c_str(), S_IRWXU) == 0, "cannot make directory", path);
}

void write_file(const std::filesystem::path& path, int flags) {
  const UniqueFd fd = open_file(path, O_WRONLY | flags, S_IRUSR | S_IWUSR);
  check(static_cast<bool>(fd), "cannot open for writing", path);
  check(::write(fd.get(), "x", 1) == 1, "cannot write", path);
}

bool is_there(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_whiteout(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

void check_opaque(const OverlaySpec& spec) {
  const std::filesystem::path directory = spec.upper / "replaced";
  const char* name =
      spec.xattrs == OverlayXattrs::user ? "user.overlay.opaque" : "trusted.overlay.opaque";
  char value = 0;
  check(::lgetxattr(directory.c_str(), name, &value, 1) == 1, "cannot read the opaque mark of",
        directory);
  if (value != 'y') unexpected("the kernel's opaque mark has a value that wafers doesn't know");
}

/// With a work directory of its own, so that it is the upper that is refused.
void check_exclusive(const OverlaySpec& spec) {
  OverlaySpec second = spec;
  second.work = spec.work.parent_path() / "second-work";
  second.mountpoint = spec.work.parent_path() / "second-view";
  try {
    mount_overlay(second);
  } catch (const Error& error) {
    if (error.errnum() == EBUSY) return;
    throw;
  }
  unmount(second.mountpoint);
  unexpected("the kernel mounts one upper directory twice, which would corrupt it");
}

}  // namespace

void make_trial_layers(const std::filesystem::path& scratch) {
  for (const char* name :
       {"base", "base/replaced", "upper", "work", "view", "second-work", "second-view"}) {
    make_directory(scratch / name);
  }
  for (const char* name : {"deleted", "moved", "replaced/hidden"}) {
    write_file(scratch / "base" / name, O_CREAT | O_EXCL);
  }
}

OverlaySpec trial_overlay(const std::filesystem::path& scratch, OverlayXattrs xattrs) {
  OverlaySpec spec;
  spec.lowers = {scratch / "base"};
  spec.upper = scratch / "upper";
  spec.work = scratch / "work";
  spec.mountpoint = scratch / "view";
  spec.source = "wafers-trial";
  spec.xattrs = xattrs;
  return spec;
}

void try_view(const std::filesystem::path& view) {
  write_file(view / "created", O_CREAT | O_EXCL);
  check(::rename((view / "created").c_str(), (view / "renamed").c_str()) == 0, "cannot rename",
        view / "created");
  check(::rename((view / "moved").c_str(), (view / "deleted").c_str()) == 0, "cannot rename",
        view / "moved");
  check(::unlink((view / "deleted").c_str()) == 0, "cannot delete", view / "deleted");
  check(::unlink((view / "replaced/hidden").c_str()) == 0, "cannot delete",
        view / "replaced/hidden");
  check(::rmdir((view / "replaced").c_str()) == 0, "cannot delete", view / "replaced");
  make_directory(view / "replaced");
  for (const char* gone : {"created", "moved", "deleted", "replaced/hidden"}) {
    if (is_there(view / gone))
      unexpected("a deleted file is still in the view: " + in_quotes(gone));
  }
  if (!is_there(view / "renamed")) unexpected("a renamed file is not in the view");
}

void check_whiteouts(const std::filesystem::path& upper) {
  for (const std::string name : {"deleted", "moved"}) {
    if (!is_whiteout(upper / name) && !is_there(upper / (".wh." + name))) {
      unexpected("deleting a file of the base leaves no whiteout in the upper directory");
    }
  }
}

void try_overlay(const OverlaySpec& spec) {
  mount_overlay(spec);
  try_view(spec.mountpoint);
  check_whiteouts(spec.upper);
  check_opaque(spec);
  check_exclusive(spec);
}

}  // namespace wafers
