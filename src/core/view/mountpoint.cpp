#include "core/view/mountpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/state/backend_traits.h"
#include "git/refs/head.h"
#include "os/directory.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kClosed = 0555;

/// On each directory outside of the state that wafers makes, or mounts a view on. A record alone
/// could name any: without this nothing there is changed, removed or mounted over.
constexpr const char* kMark = "user.wafers.mountpoint";

Error failure(int err, const std::string& doing, const fs::path& path) {
  return Error::system(err, doing + " " + in_quotes(path.native()));
}

/// A `.git` file, wherever it leads.
bool is_git_file(const fs::path& path) {
  constexpr std::string_view kStart = "gitdir:";
  const UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK);
  std::string start(kStart.size(), '\0');
  return fd && read_full(fd.get(), start.data(), start.size()) > 0 && start == kStart;
}

/// Names in `directory`; nullopt where it does not exist.
std::optional<std::vector<std::string>> entries_of(const fs::path& directory) {
  std::vector<std::string> names;
  const int err = for_each_entry(directory, [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  if (err == ENOENT) return std::nullopt;
  if (err != 0) throw failure(err, "cannot read the mountpoint", directory);
  std::ranges::sort(names);
  return names;
}

/// The entries without the marker of a wafer: its own, or a former one's that was left behind.
std::vector<std::string> strangers_in(const fs::path& directory) {
  auto names = entries_of(directory).value_or(std::vector<std::string>());
  std::erase(names, kMountpointMarker);
  return names;
}

/// Of opening something that can't be what wafers made there.
bool is_not_ours(int err) {
  return err == ENOENT || err == ENOTDIR || err == EISDIR || err == ELOOP || err == ENXIO ||
         err == EACCES;
}

bool is_in_own_state(const Wafer& wafer) {
  return !wafer.directory.empty() && is_within(wafer.mountpoint.native(), wafer.directory.native());
}

/// Whether all users are this process's to rule, and not those of a user namespace.
bool is_root_of_all() {
  if (::geteuid() != 0) return false;
  std::istringstream map(read_small_file("/proc/self/uid_map").value_or(""));
  std::uint64_t inside = 0, outside = 0, count = 0;
  constexpr std::uint64_t kAll = 4294967295;
  return map >> inside >> outside >> count && inside == 0 && outside == 0 && count == kAll;
}

/// Whether another user than root could put another thing in the place of `entry`, which is in
/// `directory`. In a sticky directory everybody can replace what is his own.
bool is_replaceable(int directory, const struct stat& entry) {
  struct stat status {};
  if (::fstat(directory, &status) != 0) return true;
  if (status.st_uid != 0) return true;
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return false;
  return (status.st_mode & S_ISVTX) == 0 || entry.st_uid != 0;
}

Error place_of_others(const fs::path& mountpoint, const fs::path& directory) {
  return Error(ErrorKind::refused,
               "mountpoint " + in_quotes(mountpoint.native()) + " lies below " +
                   in_quotes(directory.native()) +
                   ", where others than root could put something else in its place",
               "choose a place with --at that only root can write to");
}

/// The kernel's way through a path (path_resolution(7)), of which each step is looked at before it
/// is taken.
class PlaceWalk {
 public:
  explicit PlaceWalk(const fs::path& path)
      : rest_(std::next(path.begin()), path.end()), directory_(root()), walked_("/") {}

  /// The directory; empty with errno where there is none. Throws Error(refused) where another user
  /// than root could have it lead elsewhere.
  UniqueFd open(const fs::path& mountpoint) {
    while (!rest_.empty()) {
      const fs::path name = std::exchange(rest_.front(), {});
      rest_.pop_front();
      if (name.empty() || name == ".") continue;
      UniqueFd entry = open_at(directory_.get(), name, O_PATH | O_NOFOLLOW);
      const int err = entry ? 0 : errno;
      struct stat status {};
      if (entry) ::fstat(entry.get(), &status);
      if (is_replaceable(directory_.get(), status)) throw place_of_others(mountpoint, walked_);
      if (!entry) return fail(err, name);
      if (S_ISLNK(status.st_mode)) {
        if (!follow(entry.get())) return fail(ELOOP, name);
        continue;
      }
      if (!S_ISDIR(status.st_mode)) return fail(ENOTDIR, name);
      directory_ = std::move(entry);
      walked_ = name == ".." ? walked_.parent_path() : walked_ / name;
    }
    return std::move(directory_);
  }

  /// Of what open() came to, without symlinks as far as it is there.
  fs::path path() const {
    fs::path path = walked_;
    for (const fs::path& name : rest_) path /= name;
    return path.lexically_normal();
  }

 private:
  static UniqueFd root() { return open_file("/", O_PATH | O_DIRECTORY); }
  UniqueFd fail(int err, const fs::path& name) {
    rest_.push_front(name);
    errno = err;
    return {};
  }

  bool follow(int symlink) {
    constexpr int kMostLinks = 40;
    if (++links_ > kMostLinks) return false;
    std::array<char, PATH_MAX> text{};
    const ssize_t size = ::readlinkat(symlink, "", text.data(), text.size());
    if (size <= 0) return false;
    const fs::path target = std::string_view(text.data(), static_cast<std::size_t>(size));
    const bool is_absolute = target.is_absolute();
    rest_.insert(rest_.begin(), is_absolute ? std::next(target.begin()) : target.begin(),
                 target.end());
    if (is_absolute) directory_ = root(), walked_ = "/";
    return true;
  }

  std::deque<fs::path> rest_;
  UniqueFd directory_;
  fs::path walked_;
  int links_ = 0;
};

/// The directory at `path` by descriptor (O_PATH); empty with errno where there is none. For root
/// it is one to which nobody else could have led the way. Throws Error(refused) where that isn't
/// so.
UniqueFd open_place(const fs::path& path, const fs::path& mountpoint) {
  if (is_root_of_all()) return PlaceWalk(path).open(mountpoint);
  return open_file(path, O_PATH | O_DIRECTORY);
}

/// Where the file system has no room for it (tmpfs before Linux 6.6), is_marked() does without.
void mark(const fs::path& directory) { ::lsetxattr(directory.c_str(), kMark, "", 0, 0); }

/// Whether an open directory bears the mark. On a file system that can't hold one it is enough that
/// the directory is the caller's: nothing is done to one that isn't empty.
bool is_marked(int fd) {
  if (::fgetxattr(fd, kMark, nullptr, 0) >= 0) return true;
  const int err = errno;
  struct stat status {};
  return err == ENOTSUP && ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid();
}

/// Throws Error(failed) where that can't be told.
bool is_marked(const fs::path& directory) {
  const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd) return is_marked(fd.get());
  const int err = errno;
  if (is_not_ours(err)) return false;
  throw failure(err, "cannot open", directory);
}

/// A symlink that leads nowhere is there.
bool is_missing(const fs::path& path) { return !fs::exists(fs::symlink_status(path)); }

std::vector<fs::path> missing_parents(const fs::path& mountpoint) {
  std::vector<fs::path> missing;
  for (fs::path path = mountpoint.parent_path(); is_missing(path); path = path.parent_path()) {
    missing.push_back(path);
  }
  std::ranges::reverse(missing);
  return missing;
}

/// Where a directory of that path is made: it gets its own name when it bears the mark, so that
/// none is ever there without. What a kill leaves under this name is taken away with the rest.
fs::path start_of(const fs::path& path, const Wafer& wafer) {
  return path.parent_path() / (".wafers-new-" + wafer.name);
}

/// The same for a directory on the way to a wafer's mountpoint; the state is looked at elsewhere.
UniqueFd open_on_the_way(const fs::path& path, const Wafer& wafer) {
  if (is_in_own_state(wafer)) return open_file(path, O_PATH | O_DIRECTORY);
  return open_place(path, wafer.mountpoint);
}

/// Takes away what a kill left under that name.
void remove_start(const fs::path& path, const Wafer& wafer) {
  try {
    const UniqueFd parent = open_on_the_way(path.parent_path(), wafer);
    if (parent) ::unlinkat(parent.get(), start_of(path, wafer).filename().c_str(), AT_REMOVEDIR);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then we have made nothing there
  }
}

/// False where it is there: another wafer may be making the same, and the last one to go removes
/// it.
bool make_directory(const fs::path& path, const Wafer& wafer, const std::string& doing) {
  const UniqueFd parent = open_on_the_way(path.parent_path(), wafer);
  if (!parent) {
    const int err = errno;
    throw failure(err, doing, path);
  }
  const std::string start = start_of(path, wafer).filename();
  const std::string name = path.filename();
  const auto mark_here = [&](const std::string& made) {
    mark(fs::path(path_of_fd(parent.get())) / made);
  };
  if (::mkdirat(parent.get(), start.c_str(), 0777) != 0 && errno != EEXIST) {
    const int err = errno;
    throw failure(err, doing, path);
  }
  mark_here(start);
  if (::renameat2(parent.get(), start.c_str(), parent.get(), name.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  const int err = errno;
  ::unlinkat(parent.get(), start.c_str(), AT_REMOVEDIR);
  if (err == EEXIST) return false;
  if (err != EINVAL) throw failure(err, doing, path);
  // The file system can't rename without replacing (rename(2)).
  if (::mkdirat(parent.get(), name.c_str(), 0777) == 0) return mark_here(name), true;
  if (errno == EEXIST) return false;
  const int mkdir_err = errno;
  throw failure(mkdir_err, doing, path);
}

void make_mountpoint(const Wafer& wafer) {
  for (const fs::path& path : missing_parents(wafer.mountpoint)) {
    make_directory(path, wafer, "cannot make directory");
  }
  const bool there = !is_missing(wafer.mountpoint) ||
                     !make_directory(wafer.mountpoint, wafer, "cannot make mountpoint");
  // The user of `add` names the directory; later only the record does.
  if (!there || wafer.stage != WaferStage::adding) return;
  const UniqueFd parent = open_on_the_way(wafer.mountpoint.parent_path(), wafer);
  if (parent) mark(fs::path(path_of_fd(parent.get())) / wafer.mountpoint.filename());
}

/// All lie on the way to one mountpoint: the shortest is the outermost.
void sort_parents(std::vector<fs::path>& parents) {
  std::ranges::sort(parents, {}, [](const fs::path& parent) { return parent.native().size(); });
}

std::string marker_text(const std::string& name) {
  return "This is the mountpoint of the wafer '" + name +
         "', seen from outside of it.\n\n"
         "Its files show only to processes that are inside. To go inside:\n\n"
         "    wafers shell " +
         name + "\n    wafers exec " + name +
         " -- <command>\n\n"
         "What is written here is not in the wafer. Programs that are to read its files from "
         "outside\n"
         "find them by the host_path of 'wafers ls --json', taken literally.\n";
}

/// What marker_text() begins with, in every version.
std::string first_line(const Wafer& wafer) {
  const std::string text = marker_text(wafer.name);
  return text.substr(0, text.find('\n'));
}

/// Whether the marker there is this wafer's, at least so many bytes of its first line. Throws
/// Error(failed) where that can't be told.
bool has_marker_of(int directory, const Wafer& wafer, std::size_t least) {
  const std::string line = first_line(wafer);
  std::string start(line.size(), '\0');
  const UniqueFd fd = open_at(directory, kMountpointMarker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const ssize_t got = fd ? read_full(fd.get(), start.data(), start.size()) : -1;
  const int err = errno;
  if (got < 0 && !is_not_ours(err))
    throw failure(err, "cannot read the marker in", wafer.mountpoint);
  if (got < 0 || static_cast<std::size_t>(got) < least) return false;
  start.resize(static_cast<std::size_t>(got));
  return line.starts_with(start);
}

bool has_own_marker(int directory, const Wafer& wafer) {
  return has_marker_of(directory, wafer, first_line(wafer).size());
}

bool is_of(int directory, const Wafer& wafer) {
  return is_in_own_state(wafer) || is_marked(directory) || has_own_marker(directory, wafer);
}

void write_marker(int directory, const Wafer& wafer) {
  const UniqueFd fd =
      open_at(directory, kMountpointMarker, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
  const std::string text = marker_text(wafer.name);
  if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) {
    const int err = errno;
    throw failure(err, "cannot write", wafer.mountpoint / kMountpointMarker);
  }
}

UniqueFd open_mountpoint(const fs::path& mountpoint) {
  UniqueFd fd = open_file(mountpoint, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) {
    const int err = errno;
    throw failure(err, "cannot open mountpoint", mountpoint);
  }
  return fd;
}

Error holds_files(const Wafer& wafer, const std::vector<std::string>& strangers) {
  return Error(ErrorKind::refused,
               "mountpoint " + in_quotes(wafer.mountpoint.native()) +
                   " holds files that the view would hide: " + in_quotes(strangers.front()),
               "they were written while the view was not mounted: move them elsewhere");
}

bool has_marker(int directory) {
  struct stat marker {};
  return ::fstatat(directory, kMountpointMarker, &marker, AT_SYMLINK_NOFOLLOW) == 0;
}

/// No program is to write here in the belief that it is the view.
void close_mountpoint(const Wafer& wafer) {
  const UniqueFd fd = open_mountpoint(wafer.mountpoint);
  struct stat stat {};
  if (::fstat(fd.get(), &stat) != 0) {
    const int err = errno;
    throw failure(err, "cannot look at mountpoint", wafer.mountpoint);
  }
  const mode_t mode = stat.st_mode & 07777U;
  const bool marked = has_marker(fd.get());
  if (marked && mode == kClosed) return;
  if (!marked) {
    std::ignore = ::fchmod(fd.get(), mode | S_IRWXU);
    write_marker(fd.get(), wafer);
  }
  if (::fchmod(fd.get(), kClosed) != 0) {
    const int err = errno;
    throw Error::system(
        err, "cannot make mountpoint " + in_quotes(wafer.mountpoint.native()) + " unwritable",
        "choose a directory of your own, or one that does not exist yet");
  }
}

/// Where the mountpoint isn't ours there is no marker of ours in it either.
void remove_marker(int fd, const Wafer& wafer) {
  const bool own = has_marker_of(fd, wafer, 0);  // the disk may have been full, too
  if (::fchmod(fd, 0700) == 0 &&
      (!own || ::unlinkat(fd, kMountpointMarker, 0) == 0 || errno == ENOENT)) {
    return;
  }
  const int err = errno;
  struct stat stat {};
  const bool ours = ::fstat(fd, &stat) == 0 && stat.st_uid == ::geteuid();
  if (ours && err != EROFS) throw failure(err, "cannot empty mountpoint", wafer.mountpoint);
}

/// Gives back a mountpoint outside of the state as it was. False where it isn't ours to change.
bool restore_mountpoint(int fd, const Wafer& wafer) {
  if (!is_of(fd, wafer)) return false;
  if (traits_of(wafer.backend).has_own_namespaces) {
    const bool closed = wafer.mountpoint_made || wafer.mountpoint_mode;
    if (closed || has_own_marker(fd, wafer)) remove_marker(fd, wafer);
    if (wafer.mountpoint_mode) std::ignore = ::fchmod(fd, *wafer.mountpoint_mode);
  }
  if (!wafer.mountpoint_made) ::fremovexattr(fd, kMark);
  return true;
}

/// rmdir(2). False where it isn't empty.
bool is_removed(const fs::path& directory) {
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return true;
  const int err = errno;
  if (err == ENOTEMPTY || err == EEXIST) return false;
  throw failure(err, "cannot remove", directory);
}

}  // namespace

void refuse_place_of_others(const fs::path& mountpoint) { open_place(mountpoint, mountpoint); }

fs::path resolved_place(const fs::path& mountpoint) {
  if (!is_root_of_all()) return fs::weakly_canonical(mountpoint);
  PlaceWalk walk(mountpoint);
  const bool is_there = static_cast<bool>(walk.open(mountpoint));
  const int err = is_there ? 0 : errno;
  if (!is_there && err != ENOENT && err != ENOTDIR) {
    throw fs::filesystem_error("cannot look at a mountpoint", mountpoint,
                               std::error_code(err, std::generic_category()));
  }
  return walk.path();
}

std::optional<fs::path> enclosing_repository(const fs::path& directory) {
  for (fs::path path = fs::weakly_canonical(directory);; path = path.parent_path()) {
    const fs::path dot_git = path / ".git";
    if (git::is_git_directory(dot_git) || is_git_file(dot_git) || git::is_git_directory(path)) {
      return path;
    }
    if (path == path.root_path()) return std::nullopt;
  }
}

void check_mountpoint(const fs::path& mountpoint) {
  const std::string name = in_quotes(mountpoint.native());
  const std::string hint = "choose another place with --at";
  if (const auto repository = enclosing_repository(mountpoint)) {
    throw Error(ErrorKind::refused,
                "mountpoint " + name + " lies inside the Git repository " +
                    in_quotes(repository->native()) + ": git in the view would work on that one",
                hint);
  }
  std::error_code error;
  const fs::file_status status = fs::status(mountpoint, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(ErrorKind::refused, "mountpoint " + name + " is no directory", hint);
  }
  if (const auto entries = entries_of(mountpoint); entries && !entries->empty()) {
    throw Error(ErrorKind::refused,
                "mountpoint " + name + " is not empty: it holds " + in_quotes(entries->front()),
                hint);
  }
}

void share_parents(Wafer& wafer, const std::vector<Taken>& others) {
  auto& parents = wafer.mountpoint_parents;
  for (const Taken& other : others) {
    for (const std::string& parent : other.parents) {
      if (!is_within(wafer.mountpoint.native(), parent)) continue;
      if (std::ranges::find(parents, fs::path(parent)) == parents.end())
        parents.emplace_back(parent);
    }
  }
  sort_parents(parents);
}

bool plan_mountpoint(Wafer& wafer) {
  bool more = false;
  auto& parents = wafer.mountpoint_parents;
  for (const fs::path& path : missing_parents(wafer.mountpoint)) {
    if (path == wafer.directory || std::ranges::find(parents, path) != parents.end()) continue;
    parents.push_back(path);
    more = true;
  }
  sort_parents(parents);
  if (wafer.mountpoint_made) return more;
  struct stat stat {};
  if (::lstat(wafer.mountpoint.c_str(), &stat) != 0) {
    wafer.mountpoint_made = true;
    return true;
  }
  if (!traits_of(wafer.backend).has_own_namespaces || wafer.mountpoint_mode) return more;
  wafer.mountpoint_mode = stat.st_mode & 07777U;
  return true;
}

void prepare_mountpoint(Wafer& wafer) {
  plan_mountpoint(wafer);
  make_mountpoint(wafer);
  // All of it is there now: what is root's alone nobody can lead elsewhere any more.
  if (!open_on_the_way(wafer.mountpoint, wafer)) {
    const int err = errno;
    throw failure(err, "cannot open mountpoint", wafer.mountpoint);
  }
  if (!is_of(open_mountpoint(wafer.mountpoint).get(), wafer)) {
    throw Error(ErrorKind::refused,
                "mountpoint " + in_quotes(wafer.mountpoint.native()) +
                    " is another directory than the one that was prepared for wafer " +
                    in_quotes(wafer.name),
                "remove or move it: the mountpoint is then made anew");
  }
  const auto strangers = strangers_in(wafer.mountpoint);
  if (!strangers.empty()) {
    throw holds_files(wafer, strangers);
  }
  if (traits_of(wafer.backend).has_own_namespaces) close_mountpoint(wafer);
}

void relabel_mountpoint(const Wafer& before, const Wafer& wafer) noexcept {
  try {
    const UniqueFd fd = open_mountpoint(wafer.mountpoint);
    if (!has_own_marker(fd.get(), before)) return;
    remove_marker(fd.get(), before);
    close_mountpoint(wafer);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next mount closes it
  }
}

UniqueFd open_prepared_mountpoint(const Wafer& wafer) {
  UniqueFd fd = open_mountpoint(wafer.mountpoint);
  const auto strangers = strangers_in(path_of_fd(fd.get()));
  if (!strangers.empty()) throw holds_files(wafer, strangers);
  return fd;
}

std::vector<std::string> written_outside(const Wafer& wafer) {
  struct stat marker {};
  const bool is_outside = traits_of(wafer.backend).has_own_namespaces &&
                          ::lstat((wafer.mountpoint / kMountpointMarker).c_str(), &marker) == 0;
  return is_outside ? stray_entries(wafer) : std::vector<std::string>();
}

std::vector<std::string> stray_entries(const Wafer& wafer) {
  try {
    return strangers_in(wafer.mountpoint);
  } catch (const Error&) {
    return {};
  }
}

void release_mountpoint(const Wafer& wafer) {
  UniqueFd fd = open_file(wafer.mountpoint, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) {
    const int err = errno;
    if (!is_not_ours(err)) throw failure(err, "cannot open mountpoint", wafer.mountpoint);
  }
  // What lies in the wafer's own directory goes with it.
  const bool outside = !is_in_own_state(wafer);
  const bool restored = outside && fd && restore_mountpoint(fd.get(), wafer);
  fd.reset();
  if (outside) remove_start(wafer.mountpoint, wafer);
  if (restored && wafer.mountpoint_made && !is_removed(wafer.mountpoint)) return;
  const auto& made = wafer.mountpoint_parents;
  for (auto path = made.rbegin(); path != made.rend(); ++path) {
    remove_start(*path, wafer);
    const bool removed = is_marked(*path) ? is_removed(*path) : is_missing(*path);
    if (!removed) return;
  }
}

}  // namespace wafers
