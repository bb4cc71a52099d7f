#include "linux/covered_checkout.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "linux/overlay.h"
#include "linux/second_view.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckout = "checkout";
constexpr const char* kPlaceLink = "place";

fs::path moved(const fs::path& path, const fs::path& from, const fs::path& to) {
  if (from.empty()) return path;  // nothing is covered
  if (path == from) return to;
  return is_within(path.native(), from.native()) ? to / path.lexically_relative(from) : path;
}

void bind(const fs::path& what, const fs::path& target, const fs::path& named) {
  if (::mount(what.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) == 0) return;
  throw_errno("cannot mount on", named.native());
}

/// The directory itself, by a path that leads there without any symlink.
UniqueFd open_place(const fs::path& place) {
  UniqueFd fd = open_file(place, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) throw_errno("cannot open directory", place.native());
  std::error_code error;
  if (fs::read_symlink(path_of_fd(fd.get()), error) == place) return fd;
  throw Error(ErrorKind::failed,
              "cannot mount on " + in_quotes(place.native()) + ": a symlink leads there");
}

/// Flags of the mount that a user namespace may not take away (mount_namespaces(7)), and with which
/// a bind mount has to be remounted therefore.
unsigned long kept_flags(const fs::path& path) {
  constexpr std::array<std::pair<unsigned long, unsigned long>, 6> kFlags{
      {{ST_NODEV, MS_NODEV},
       {ST_NOSUID, MS_NOSUID},
       {ST_NOEXEC, MS_NOEXEC},
       {ST_NOATIME, MS_NOATIME},
       {ST_NODIRATIME, MS_NODIRATIME},
       {ST_RELATIME, MS_RELATIME}}};
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) throw_errno("cannot look at", path.native());
  unsigned long flags = 0;
  for (const auto& [shown, flag] : kFlags) {
    if ((status.f_flag & shown) != 0) flags |= flag;
  }
  return flags;
}

void make_read_only(const fs::path& path) {
  const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(path);
  if (::mount(nullptr, path.c_str(), nullptr, flags, nullptr) == 0) return;
  throw_errno("cannot mount read-only", path.native());
}

/// The repository stays writable: commits go there. A `.git` that is a file leads elsewhere.
void show_checkout(const fs::path& checkout, const fs::path& reached) {
  bind(checkout, reached, reached);
  struct stat status {};
  const fs::path repository = reached / ".git";
  const bool has_repository = ::lstat(repository.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (has_repository) bind(checkout / ".git", repository, repository);
  make_read_only(reached);
}

}  // namespace

fs::path CoveredCheckout::inside(const fs::path& path) const { return moved(path, place, reached); }

fs::path CoveredCheckout::outside(const fs::path& path) const {
  return moved(path, reached, place);
}

CoveredCheckout covered_checkout(const fs::path& place, const fs::path& root) {
  return {place, root / kCoveredPlace / kCheckout};
}

std::optional<CoveredCheckout> find_covered_checkout(const fs::path& root) {
  std::array<char, PATH_MAX> place{};
  const fs::path own = root / kCoveredPlace;
  const ssize_t length = ::readlink((own / kPlaceLink).c_str(), place.data(), place.size());
  if (length <= 0) return std::nullopt;
  // Not one that somebody has made outside, where nothing is mounted.
  const auto here = view_identity(own);
  const auto around = view_identity(root);
  if (!here || !around || here->mount_id == around->mount_id) return std::nullopt;
  return covered_checkout(std::string(place.data(), static_cast<std::size_t>(length)), root);
}

void bar_covered_checkout(const fs::path& root) {
  constexpr mode_t kClosed = 0555;
  make_missing_directory(root / kCoveredPlace, kClosed);
}

void cover_checkout(const fs::path& place, const fs::path& mountpoint, const fs::path& root) {
  const UniqueFd directory = open_place(place);
  const fs::path checkout = path_of_fd(directory.get());
  const fs::path own = root / kCoveredPlace;
  const fs::path reached = own / kCheckout;
  cover_privately(own);
  if (::mkdir(reached.c_str(), 0700) != 0) throw_errno("cannot make directory", reached.native());
  fs::create_symlink(place, own / kPlaceLink);
  show_checkout(checkout, reached);
  close_second_place(own);
  bind(mountpoint, checkout, place);
}

void cover_again(const CoveredCheckout& covered, const fs::path& mountpoint) {
  bind(mountpoint, covered.place, covered.place);
}

}  // namespace wafers
