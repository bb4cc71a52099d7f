#include "linux/upper.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr const char* kOpaqueFile = ".wh..wh..opq";

/// An attribute that can't be read at all is an error: a mark could be missed.
Unreadable cannot_read(int err, const char* attribute, const std::string& path) {
  return Unreadable(
      err, "cannot read " + std::string(attribute) + " of " + in_quotes(path) + " in the upper");
}

/// Names of the kernel's marks (fs/overlayfs/overlayfs.h), in the dialect's namespace.
struct KernelMarks {
  const char* opaque;
  const char* whiteout;
  /// Redirects and files without their data. The kernel refuses what has a mark that our mounts
  /// switch off (namei.c: ovl_lookup, EPERM).
  PlainDir::RefusedMarks refused;
};

const KernelMarks& marks_of(UpperDialect dialect) {
  static constexpr KernelMarks kUser{"user.overlay.opaque",
                                     "user.overlay.whiteout",
                                     {"user.overlay.redirect", "user.overlay.metacopy"}};
  static constexpr KernelMarks kTrusted{"trusted.overlay.opaque",
                                        "trusted.overlay.whiteout",
                                        {"trusted.overlay.redirect", "trusted.overlay.metacopy"}};
  return dialect == UpperDialect::kernel_trusted ? kTrusted : kUser;
}

const char* opaque_attribute(UpperDialect dialect) {
  return dialect == UpperDialect::fuse ? "user.fuseoverlayfs.opaque" : marks_of(dialect).opaque;
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

/// Name that the fuse dialect's whiteout `.wh.<name>` hides, empty for none. What begins with the
/// prefix itself never shows, so there is nothing to hide.
std::string_view hidden_name(std::string_view file) {
  const std::string_view name = file.substr(kWhiteoutPrefix.size());
  const bool shows = name != "." && name != ".." && !name.starts_with(kWhiteoutPrefix);
  return shows ? name : std::string_view{};
}

/// As fuse-overlayfs decides (main.c: is_directory_opaque): the first of three attributes that is
/// there has the say, by its first byte; a file only where none is.
bool is_opaque_for_fuse(const PlainDir& dir) {
  for (const char* attribute :
       {"trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque"}) {
    std::array<char, 16> value{};
    const ssize_t size = ::fgetxattr(dir.fd(), attribute, value.data(), value.size());
    if (size >= 0) return value[0] == 'y';
    const int err = errno;
    if (err != ENODATA && err != ENOTSUP) throw cannot_read(err, attribute, dir.path());
  }
  return dir.stat(kOpaqueFile).has_value();
}

/// The mark is one byte, 'y' (fs/overlayfs/util.c: ovl_get_opaquedir_val). On the upper's root the
/// kernel doesn't look for it (super.c: ovl_get_root).
bool is_opaque_for_kernel(const PlainDir& dir, UpperDialect dialect) {
  if (dir.path().empty()) return false;
  std::array<char, 2> value{};
  const char* const attribute = marks_of(dialect).opaque;
  const ssize_t size = ::fgetxattr(dir.fd(), attribute, value.data(), value.size());
  const int err = errno;
  if (size < 0 && err != ENODATA && err != ENOTSUP && err != ERANGE) {
    throw cannot_read(err, attribute, dir.path());
  }
  return size == 1 && value[0] == 'y';
}

bool is_opaque(const PlainDir& dir, UpperDialect dialect) {
  return dialect == UpperDialect::fuse ? is_opaque_for_fuse(dir)
                                       : is_opaque_for_kernel(dir, dialect);
}

/// Since Linux 6.7 an empty regular file with an attribute is a whiteout too (util.c:
/// ovl_path_check_xwhiteout_xattr). The mark 'x' on the directory, of which
/// Documentation/filesystems/overlayfs.rst tells, only decides whether readdir(3) leaves the name
/// out; a look-up finds nothing either way. The kernel itself makes none in an upper; other tools
/// do.
bool is_attribute_whiteout(const PlainDir& dir, const std::string& name, const struct stat& st,
                           UpperDialect dialect) {
  if (dialect == UpperDialect::fuse || !S_ISREG(st.st_mode) || st.st_size != 0) return false;
  // By path, since the file need not be readable and there is no fgetxattrat(2) before Linux 6.13.
  const std::string path = "/proc/self/fd/" + std::to_string(dir.fd()) + "/" + name;
  return ::lgetxattr(path.c_str(), marks_of(dialect).whiteout, nullptr, 0) >= 0;
}

/// A `.wh.` in the root makes fuse-overlayfs show an empty view (main.c: load_dir looks for the
/// whiteout of a root without a name).
void refuse_nameless_whiteout(const PlainDir& dir, std::string_view name) {
  if (!dir.path().empty() || name != kWhiteoutPrefix) return;
  throw Unreadable(EPERM, "cannot read the upper, whose '.wh.' hides all of it");
}

/// trusted.* attributes are hidden from who lacks CAP_SYS_ADMIN in the initial user namespace, as
/// if they weren't there. Removing one that doesn't exist tells without changing anything: EPERM
/// for them, ENODATA for us (fs/xattr.c: xattr_permission).
void require_trusted_attributes(const PlainDir& dir, const std::filesystem::path& upper) {
  if (::fremovexattr(dir.fd(), "trusted.overlay.wafers-probe") == 0) return;
  const int err = errno;
  if (err == ENODATA) return;
  throw Error::system(err, "cannot read trusted.overlay attributes in " + in_quotes(upper.native()),
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
  if (dialect != UpperDialect::fuse) dir.refuse(marks_of(dialect).refused);
  return {std::move(dir), dialect};
}

UpperDir UpperDir::open_directory(const std::string& name) const {
  return {dir_.open_directory(name), dialect_};
}

bool UpperDir::opaque() const { return is_opaque(dir_, dialect_); }

UpperListing UpperDir::list() const {
  UpperListing listing{.opaque = opaque(), .entries = {}};
  std::vector<UpperEntry> shown;
  for (std::string& name : dir_.names()) {
    if (dialect_ == UpperDialect::fuse && name.starts_with(kWhiteoutPrefix)) {
      refuse_nameless_whiteout(dir_, name);
      const std::string_view target = hidden_name(name);
      if (!target.empty()) {
        listing.entries.push_back({.name = std::string(target), .type = UpperEntryType::whiteout});
      }
      continue;
    }
    const auto st = dir_.stat(name);
    if (!st) continue;  // gone since readdir(3): as if we had come later
    if (is_attribute_whiteout(dir_, name, *st, dialect_)) {
      listing.entries.push_back({.name = std::move(name), .type = UpperEntryType::whiteout});
    } else {
      shown.push_back(make_entry(std::move(name), *st));
    }
  }
  const auto by_name = [](const UpperEntry& a, const UpperEntry& b) { return a.name < b.name; };
  // Whiteouts come before real entries of the same name, and win.
  std::move(shown.begin(), shown.end(), std::back_inserter(listing.entries));
  std::stable_sort(listing.entries.begin(), listing.entries.end(), by_name);
  const auto same_name = [](const UpperEntry& a, const UpperEntry& b) { return a.name == b.name; };
  listing.entries.erase(std::unique(listing.entries.begin(), listing.entries.end(), same_name),
                        listing.entries.end());
  return listing;
}

std::optional<UpperEntry> UpperDir::find(const std::string& name) const {
  if (dialect_ == UpperDialect::fuse) {
    if (name.starts_with(kWhiteoutPrefix)) return std::nullopt;
    if (dir_.stat(std::string(kWhiteoutPrefix) + name)) {
      return UpperEntry{.name = name, .type = UpperEntryType::whiteout};
    }
  }
  const auto st = dir_.stat(name);
  if (!st) return std::nullopt;
  if (is_attribute_whiteout(dir_, name, *st, dialect_)) {
    return UpperEntry{.name = name, .type = UpperEntryType::whiteout};
  }
  return make_entry(name, *st);
}

UniqueFd UpperDir::open_file(const std::string& name, struct stat* stat_out) const {
  return dir_.open_file(name, stat_out);
}

std::string UpperDir::read_link(const std::string& name) const { return dir_.read_link(name); }

void require_showable(std::string_view path, UpperDialect dialect) {
  if (dialect != UpperDialect::fuse) return;
  const bool is_mark = path.starts_with(kWhiteoutPrefix) ||
                       path.find("/" + std::string(kWhiteoutPrefix)) != std::string_view::npos;
  if (!is_mark) return;
  throw Error(ErrorKind::unsupported,
              "fuse-overlayfs can't show " + in_quotes(path) +
                  ": it takes names with .wh. at the beginning for marks of its own",
              "use another backend");
}

void make_whiteout(int dirfd, const std::string& name, UpperDialect dialect) {
  if (::mknodat(dirfd, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) return;
  int err = errno;
  if (dialect == UpperDialect::fuse && err != EEXIST) {
    const std::string file = std::string(kWhiteoutPrefix) + name;
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd fd = open_at(dirfd, file, kFlags, 0600);
    if (fd) return;
    err = errno;
  }
  throw Error::system(err, "cannot make a whiteout for " + in_quotes(name) + " in the upper",
                      err == EPERM ? "whiteouts without privileges need Linux 5.8 or newer" : "");
}

void remove_whiteout(int dirfd, const std::string& name, UpperDialect dialect) {
  const bool removed = ::unlinkat(dirfd, name.c_str(), 0) == 0;
  int err = removed ? 0 : errno;
  if (dialect == UpperDialect::fuse) {
    const std::string file = std::string(kWhiteoutPrefix) + name;
    if (::unlinkat(dirfd, file.c_str(), 0) == 0) return;
    if (errno != ENOENT) err = errno;
  }
  if (err == 0) return;
  throw Error::system(err, "cannot remove the whiteout of " + in_quotes(name) + " in the upper");
}

void make_opaque(int dirfd, UpperDialect dialect) {
  if (::fsetxattr(dirfd, opaque_attribute(dialect), "y", 1, 0) == 0) return;
  int err = errno;
  if (dialect == UpperDialect::fuse) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd fd = open_at(dirfd, kOpaqueFile, kFlags, 0600);
    if (fd) return;
    err = errno;
  }
  throw Error::system(err, "cannot mark a directory of the upper opaque");
}

}  // namespace wafers
