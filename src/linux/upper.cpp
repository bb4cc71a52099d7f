#include "linux/upper.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
/// What is hidden behind two prefixes are aufs' and fuse-overlayfs' own files.
constexpr std::string_view kOwnPrefix = ".wh..wh.";
constexpr const char* kOpaqueFile = ".wh..wh..opq";
constexpr std::string_view kOpaqueDevice = ".wh..opq";

/// Makes an attribute's value a number: its one byte, 0 where it isn't there or is longer.
/// An attribute that can't be read at all is an error: the mark could be missed.
char one_byte_attribute(int fd, const char* attribute, const std::string& path) {
  std::array<char, 2> value{};
  const ssize_t size = ::fgetxattr(fd, attribute, value.data(), value.size());
  if (size == 1) return value[0];
  const int err = errno;
  if (size < 0 && err != ENODATA && err != ENOTSUP && err != ERANGE) {
    throw Unreadable(err, "cannot read " + std::string(attribute) + " of " + wafers::quoted(path) +
                              " in the upper");
  }
  return 0;
}

const char* opaque_attribute(UpperDialect dialect) {
  switch (dialect) {
    case UpperDialect::kernel_user:
      return "user.overlay.opaque";
    case UpperDialect::kernel_trusted:
      return "trusted.overlay.opaque";
    case UpperDialect::fuse:
      break;
  }
  return "user.fuseoverlayfs.opaque";
}

const char* whiteout_attribute(UpperDialect dialect) {
  return dialect == UpperDialect::kernel_trusted ? "trusted.overlay.whiteout"
                                                 : "user.overlay.whiteout";
}

bool is_whiteout_device(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

UpperEntryType type_of(const struct stat& st) {
  if (S_ISREG(st.st_mode)) return UpperEntryType::regular;
  if (S_ISDIR(st.st_mode)) return UpperEntryType::directory;
  if (S_ISLNK(st.st_mode)) return UpperEntryType::symlink;
  return is_whiteout_device(st) ? UpperEntryType::whiteout : UpperEntryType::special;
}

UpperEntry make_entry(std::string name, const struct stat& st) {
  UpperEntry entry{.name = std::move(name), .type = type_of(st), .stat = st};
  if (entry.type == UpperEntryType::whiteout) entry.stat = {};
  return entry;
}

/// Name that the fuse dialect's whiteout file `.wh.<name>` stands for, empty for none.
std::string_view hidden_name(std::string_view file) {
  if (!file.starts_with(kWhiteoutPrefix) || file.starts_with(kOwnPrefix)) return {};
  const std::string_view name = file.substr(kWhiteoutPrefix.size());
  return name == "." || name == ".." ? std::string_view{} : name;
}

bool is_opaque_for_fuse(const PlainDir& dir) {
  for (const char* attribute :
       {"user.fuseoverlayfs.opaque", "user.overlay.opaque", "trusted.overlay.opaque"}) {
    if (one_byte_attribute(dir.fd(), attribute, dir.path()) == 'y') return true;
  }
  if (dir.stat(kOpaqueFile)) return true;
  const auto device = dir.stat(std::string(kOpaqueDevice));
  return device && is_whiteout_device(*device);
}

/// Of an opaque directory 'y'. In a kernel's dialect also 'x': since Linux 6.7 a whiteout can be an
/// empty regular file with an attribute, in a directory with this mark
/// (Documentation/filesystems/overlayfs.rst, "Nesting overlayfs mounts"). The kernel itself makes
/// none in an upper; other tools do.
char directory_mark(const PlainDir& dir, UpperDialect dialect) {
  if (dialect == UpperDialect::fuse) return is_opaque_for_fuse(dir) ? 'y' : '\0';
  return one_byte_attribute(dir.fd(), opaque_attribute(dialect), dir.path());
}

bool is_attribute_whiteout(const PlainDir& dir, const std::string& name, const struct stat& st,
                           UpperDialect dialect) {
  if (!S_ISREG(st.st_mode) || st.st_size != 0) return false;
  // Through O_PATH and /proc, since the file need not be readable and there is no fgetxattrat(2).
  const UniqueFd file(::openat(dir.fd(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return false;
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  return ::getxattr(path.c_str(), whiteout_attribute(dialect), nullptr, 0) >= 0;
}

/// trusted.* attributes are hidden from who lacks CAP_SYS_ADMIN in the initial user namespace, as
/// if they weren't there. Removing one that doesn't exist tells without changing anything: EPERM
/// for them, ENODATA for us (fs/xattr.c: xattr_permission).
void require_trusted_attributes(const PlainDir& dir, const std::filesystem::path& upper) {
  if (::fremovexattr(dir.fd(), "trusted.overlay.wafers-probe") == 0) return;
  const int err = errno;
  if (err == ENODATA) return;
  throw Error::system(err,
                      "cannot read trusted.overlay attributes in " + wafers::quoted(upper.native()),
                      "this wafer was made with the host backend: run the command with the same "
                      "privileges",
                      ErrorKind::unsupported);
}

}  // namespace

std::string_view to_string(UpperDialect dialect) {
  switch (dialect) {
    case UpperDialect::kernel_user:
      return "kernel-user";
    case UpperDialect::kernel_trusted:
      return "kernel-trusted";
    case UpperDialect::fuse:
      return "fuse";
  }
  return "?";
}

UpperDir::UpperDir(PlainDir dir, UpperDialect dialect) : dir_(std::move(dir)), dialect_(dialect) {}

UpperDir UpperDir::open(const std::filesystem::path& upper, UpperDialect dialect) {
  PlainDir dir = PlainDir::open(upper, "the upper");
  if (dialect == UpperDialect::kernel_trusted) require_trusted_attributes(dir, upper);
  return {std::move(dir), dialect};
}

UpperDir UpperDir::open_directory(const std::string& name) const {
  return {dir_.open_directory(name), dialect_};
}

bool UpperDir::opaque() const { return directory_mark(dir_, dialect_) == 'y'; }

UpperListing UpperDir::list() const {
  const char mark = directory_mark(dir_, dialect_);
  UpperListing listing{.opaque = mark == 'y', .entries = {}};
  std::vector<std::string> hidden;
  for (std::string& name : dir_.names()) {
    if (dialect_ == UpperDialect::fuse && name.starts_with(kWhiteoutPrefix)) {
      const std::string_view target = hidden_name(name);
      const bool marks_opaque = name == kOpaqueDevice && listing.opaque;
      if (!target.empty() && !marks_opaque) hidden.emplace_back(target);
      continue;
    }
    const auto st = dir_.stat(name);
    if (!st) continue;  // gone since readdir(3): as if we had come later
    if (mark == 'x' && is_attribute_whiteout(dir_, name, *st, dialect_)) {
      hidden.push_back(std::move(name));
    } else {
      listing.entries.push_back(make_entry(std::move(name), *st));
    }
  }
  const auto by_name = [](const UpperEntry& a, const UpperEntry& b) { return a.name < b.name; };
  for (std::string& name : hidden) {
    listing.entries.push_back({.name = std::move(name), .type = UpperEntryType::whiteout});
  }
  // Real entries were added before the whiteouts of the same name, and win.
  std::stable_sort(listing.entries.begin(), listing.entries.end(), by_name);
  const auto same_name = [](const UpperEntry& a, const UpperEntry& b) { return a.name == b.name; };
  listing.entries.erase(std::unique(listing.entries.begin(), listing.entries.end(), same_name),
                        listing.entries.end());
  return listing;
}

std::optional<UpperEntry> UpperDir::find(const std::string& name) const {
  if (dialect_ == UpperDialect::fuse && name.starts_with(kWhiteoutPrefix)) return std::nullopt;
  if (const auto st = dir_.stat(name)) {
    if (is_attribute_whiteout(dir_, name, *st, dialect_) && directory_mark(dir_, dialect_) == 'x') {
      return UpperEntry{.name = name, .type = UpperEntryType::whiteout};
    }
    return make_entry(name, *st);
  }
  if (dialect_ == UpperDialect::fuse && dir_.stat(std::string(kWhiteoutPrefix) + name)) {
    return UpperEntry{.name = name, .type = UpperEntryType::whiteout};
  }
  return std::nullopt;
}

UniqueFd UpperDir::open_file(const std::string& name, struct stat* stat_out) const {
  return dir_.open_file(name, stat_out);
}

std::string UpperDir::read_link(const std::string& name) const { return dir_.read_link(name); }

void make_whiteout(int dirfd, const std::string& name, UpperDialect dialect) {
  if (::mknodat(dirfd, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) return;
  int err = errno;
  if (dialect == UpperDialect::fuse && err != EEXIST) {
    const std::string file = std::string(kWhiteoutPrefix) + name;
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd fd(::openat(dirfd, file.c_str(), kFlags, 0600));
    if (fd) return;
    err = errno;
  }
  throw Error::system(err, "cannot make a whiteout for " + wafers::quoted(name) + " in the upper",
                      err == EPERM ? "whiteouts without privileges need Linux 5.8 or newer" : "");
}

void make_opaque(int dirfd, UpperDialect dialect) {
  if (::fsetxattr(dirfd, opaque_attribute(dialect), "y", 1, 0) == 0) return;
  int err = errno;
  if (dialect == UpperDialect::fuse) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd fd(::openat(dirfd, kOpaqueFile, kFlags, 0600));
    if (fd) return;
    err = errno;
  }
  throw Error::system(err, "cannot mark a directory of the upper opaque");
}

}  // namespace wafers
