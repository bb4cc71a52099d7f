#include "linux/second_view.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "linux/covered_checkout.h"
#include "linux/overlay.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlace = "host_path";
constexpr const char* kBar = "only-literally";
constexpr const char* kView = "view";
constexpr mode_t kClosed = 0555;

constexpr const char* kNote =
    "The host_path of 'wafers ls --json' is to be taken literally: this is what it becomes when a\n"
    "program resolves it (realpath, getcwd), and nothing can be here. Run such a program "
    "inside:\n\n"
    "    wafers exec <name> -- <command>\n";

[[noreturn]] void fail(int err, const std::string& doing, const fs::path& path) {
  throw Error::system(err, doing + " " + in_quotes(path.native()));
}

/// Not where a symlink in its place leads to.
UniqueFd open_directory(const fs::path& place, int flags) {
  UniqueFd fd = open_file(place, flags | O_DIRECTORY | O_NOFOLLOW);
  if (fd) return fd;
  const int err = errno;
  fail(err, "cannot open directory", place);
}

void set_mode(const UniqueFd& fd, mode_t mode, const fs::path& path) {
  if (::fchmod(fd.get(), mode) == 0) return;
  const int err = errno;
  fail(err, "cannot change the mode of", path);
}

void make_bar(const UniqueFd& place, const fs::path& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd bar = open_at(place.get(), kBar, kFlags, 0444);
  const int err = errno;
  if (bar) return write_all(bar.get(), kNote);
  if (err != EEXIST) fail(err, "cannot make", path / kBar);
}

void ensure_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return;
  const int err = errno;
  fail(err, "cannot make directory", path);
}

void mount_or_fail(const char* source, const fs::path& target, const char* type,
                   unsigned long flags, const char* options, const fs::path& named) {
  if (::mount(source, target.c_str(), type, flags, options) == 0) return;
  const int err = errno;
  fail(err, "cannot mount on", named);
}

constexpr unsigned long kViewFlags = MS_NODEV | MS_NOSUID | MS_NOEXEC;

/// False where none is mounted there.
bool unmount_if_there(const fs::path& path) {
  try {
    unmount(path);
    return true;
  } catch (const Error& error) {
    switch (error.errnum().value_or(0)) {
      case EINVAL:
      case ENOENT:
      case ENOTDIR:
        return false;
      default:
        throw;
    }
  }
}

/// What was unmounted is mounted again while the view is at its mountpoint. Where that fails,
/// host_path is what it was before there was a second place.
void mount_again(const std::function<void()>& mounting) noexcept {
  try {
    mounting();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the caller has one to tell
  }
}

}  // namespace

fs::path second_view_of(const fs::path& directory) { return directory / kPlace / kBar / kView; }

void bar_second_view(const fs::path& directory) {
  const fs::path place = directory / kPlace;
  struct stat bar {};
  if (::lstat((place / kBar).c_str(), &bar) == 0 && !S_ISDIR(bar.st_mode)) return;
  ensure_directory(place);
  const UniqueFd fd = open_directory(place, O_RDONLY);
  set_mode(fd, S_IRWXU, place);  // it may be there, without what is to be in it
  make_bar(fd, place);
  set_mode(fd, kClosed, place);
}

void cover_privately(const fs::path& directory) {
  const UniqueFd covered = open_directory(directory, O_PATH);
  mount_or_fail("wafers-private", path_of_fd(covered.get()), "tmpfs", kViewFlags, "mode=0755",
                directory);
}

fs::path mount_second_place(const fs::path& directory) {
  fs::path place = directory / kPlace;
  cover_privately(place);
  for (const fs::path& path : {place / kBar, place / kBar / kView}) ensure_directory(path);
  return place;
}

void close_second_place(const fs::path& place) {
  mount_or_fail(nullptr, place, nullptr, MS_REMOUNT | MS_RDONLY | kViewFlags, nullptr, place);
}

void mount_second_view(const fs::path& mountpoint, const fs::path& directory) {
  const fs::path second = second_view_of(directory);
  mount_or_fail(mountpoint.c_str(), second, nullptr, MS_BIND, nullptr, second);
}

void unmount_views(const fs::path& mountpoint, const fs::path& directory) {
  // The mountpoint comes last: as long as the view is there, it can be mounted elsewhere again.
  const auto covered = find_covered_checkout(directory.parent_path());
  bool was_covered = false;
  bool had_second = false;
  try {
    was_covered = covered && unmount_if_there(covered->place);
    had_second = unmount_if_there(second_view_of(directory));
    unmount(mountpoint);
  } catch (const Error& error) {
    if (error.errnum() != EBUSY) throw;
    if (had_second) mount_again([&] { mount_second_view(mountpoint, directory); });
    if (was_covered) mount_again([&] { cover_again(*covered, mountpoint); });
    throw;
  }
}

}  // namespace wafers
