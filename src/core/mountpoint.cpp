#include "core/mountpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kClosed = 0555;

Error failure(int err, const std::string& doing, const fs::path& path) {
  return Error::system(err, doing + " " + wafers::quoted(path.native()));
}

/// git's setup.c, is_git_directory(): HEAD, an object directory and refs make a repository.
bool is_git_directory(const fs::path& directory) {
  std::error_code error;
  const auto there = [&](const char* name) {
    return fs::exists(fs::symlink_status(directory / name, error));
  };
  return there("HEAD") && ((there("objects") && there("refs")) || there("commondir"));
}

bool is_gitfile(const fs::path& path) {
  std::ifstream file(path);
  std::string start(7, '\0');
  return file.read(start.data(), 7) && start == "gitdir:";
}

/// Names in `directory`; nullopt where it does not exist.
std::optional<std::vector<std::string>> entries_of(const fs::path& directory) {
  struct CloseDir {
    void operator()(DIR* dir) const noexcept { ::closedir(dir); }
  };
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(directory.c_str()));
  if (!dir) {
    const int err = errno;
    if (err == ENOENT) return std::nullopt;
    throw failure(err, "cannot read the mountpoint", directory);
  }
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

/// The entries without the marker of a wafer: its own, or a former one's that was left behind.
std::vector<std::string> strangers_in(const fs::path& directory) {
  auto names = entries_of(directory).value_or(std::vector<std::string>());
  std::erase(names, kMountpointMarker);
  return names;
}

void make_missing_parents(Wafer& wafer) {
  std::vector<fs::path> missing;
  for (fs::path path = wafer.mountpoint.parent_path(); !fs::exists(path);
       path = path.parent_path()) {
    missing.push_back(path);
  }
  std::ranges::reverse(missing);
  for (const fs::path& path : missing) {
    if (::mkdir(path.c_str(), 0777) != 0) {
      const int err = errno;
      if (err == EEXIST) continue;
      throw failure(err, "cannot make directory", path);
    }
    if (std::ranges::find(wafer.mountpoint_parents, path) == wafer.mountpoint_parents.end()) {
      wafer.mountpoint_parents.push_back(path);
    }
  }
}

void make_mountpoint(Wafer& wafer) {
  make_missing_parents(wafer);
  if (::mkdir(wafer.mountpoint.c_str(), 0777) == 0) {
    wafer.mountpoint_made = true;
    return;
  }
  const int err = errno;
  if (err != EEXIST) throw failure(err, "cannot make mountpoint", wafer.mountpoint);
}

std::string marker_text(const std::string& name) {
  return "This is the mountpoint of the wafer '" + name +
         "', seen from outside of it.\n\n"
         "Its files show only to processes that are inside. To go inside:\n\n"
         "    wafers shell " +
         name + "\n    wafers exec " + name +
         " -- <command>\n\n"
         "To look at its files, or edit them, from here: 'wafers ls --json' tells their host_path\n"
         "while the wafer is mounted.\n";
}

void write_marker(int directory, const Wafer& wafer) {
  const UniqueFd fd(::openat(directory, kMountpointMarker,
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0444));
  const std::string text = marker_text(wafer.name);
  if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) {
    const int err = errno;
    throw failure(err, "cannot write", wafer.mountpoint / kMountpointMarker);
  }
}

UniqueFd open_mountpoint(const fs::path& mountpoint) {
  UniqueFd fd(::open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    const int err = errno;
    throw failure(err, "cannot open mountpoint", mountpoint);
  }
  return fd;
}

/// Nobody is to write here and believe that it is the view.
void close_mountpoint(Wafer& wafer) {
  const UniqueFd fd = open_mountpoint(wafer.mountpoint);
  struct stat stat {};
  if (::fstat(fd.get(), &stat) != 0) {
    const int err = errno;
    throw failure(err, "cannot look at mountpoint", wafer.mountpoint);
  }
  const mode_t mode = stat.st_mode & 07777U;
  struct stat marker {};
  const bool marked = ::fstatat(fd.get(), kMountpointMarker, &marker, AT_SYMLINK_NOFOLLOW) == 0;
  if (marked && mode == kClosed) return;
  if (!wafer.mountpoint_made && !wafer.mountpoint_mode) wafer.mountpoint_mode = mode;
  if (!marked) {
    std::ignore = ::fchmod(fd.get(), mode | S_IRWXU);
    write_marker(fd.get(), wafer);
  }
  if (::fchmod(fd.get(), kClosed) != 0) {
    const int err = errno;
    throw Error::system(
        err, "cannot make mountpoint " + wafers::quoted(wafer.mountpoint.native()) + " unwritable",
        "choose a directory of your own, or one that does not exist yet");
  }
}

/// Where the mountpoint isn't ours there is no marker of ours in it either.
void remove_marker(int fd, const fs::path& mountpoint) {
  if (::fchmod(fd, 0700) == 0 && (::unlinkat(fd, kMountpointMarker, 0) == 0 || errno == ENOENT)) {
    return;
  }
  const int err = errno;
  struct stat stat {};
  const bool ours = ::fstat(fd, &stat) == 0 && stat.st_uid == ::geteuid();
  if (ours && err != EROFS) throw failure(err, "cannot empty mountpoint", mountpoint);
}

}  // namespace

std::optional<fs::path> enclosing_repository(const fs::path& directory) {
  for (fs::path path = fs::weakly_canonical(directory);; path = path.parent_path()) {
    if (is_git_directory(path / ".git") || is_gitfile(path / ".git") || is_git_directory(path)) {
      return path;
    }
    if (path == path.root_path()) return std::nullopt;
  }
}

bool is_within(const fs::path& path, const fs::path& directory) {
  const auto end = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end.first == directory.end();
}

void check_mountpoint(const fs::path& mountpoint) {
  const std::string name = wafers::quoted(mountpoint.native());
  const std::string hint = "choose another place with --at";
  if (const auto repository = enclosing_repository(mountpoint)) {
    throw Error(ErrorKind::refused,
                "mountpoint " + name + " lies inside the Git repository " +
                    wafers::quoted(repository->native()) +
                    ": git in the view would work on that one",
                hint);
  }
  std::error_code error;
  const fs::file_status status = fs::status(mountpoint, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(ErrorKind::refused, "mountpoint " + name + " is no directory", hint);
  }
  if (const auto entries = entries_of(mountpoint); entries && !entries->empty()) {
    throw Error(
        ErrorKind::refused,
        "mountpoint " + name + " is not empty: it holds " + wafers::quoted(entries->front()), hint);
  }
}

void share_parents(Wafer& wafer, const std::vector<Wafer>& others) {
  auto& parents = wafer.mountpoint_parents;
  for (const Wafer& other : others) {
    for (const fs::path& parent : other.mountpoint_parents) {
      const bool known = std::ranges::find(parents, parent) != parents.end();
      if (!known && is_within(wafer.mountpoint, parent)) parents.push_back(parent);
    }
  }
  // All lie on the way to one mountpoint: the shortest is the outermost.
  std::ranges::sort(parents, {}, [](const fs::path& parent) { return parent.native().size(); });
}

void prepare_mountpoint(Wafer& wafer) {
  make_mountpoint(wafer);
  const auto strangers = strangers_in(wafer.mountpoint);
  if (!strangers.empty()) {
    throw Error(ErrorKind::refused,
                "mountpoint " + wafers::quoted(wafer.mountpoint.native()) +
                    " holds files that the view would hide: " + wafers::quoted(strangers.front()),
                "they were written while the view was not mounted: move them elsewhere");
  }
  if (wafer.backend == BackendKind::namespace_) close_mountpoint(wafer);
}

std::vector<std::string> stray_entries(const Wafer& wafer) {
  try {
    return strangers_in(wafer.mountpoint);
  } catch (const Error&) {
    return {};
  }
}

void release_mountpoint(const Wafer& wafer) {
  UniqueFd fd(::open(wafer.mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    const int err = errno;
    const bool is_not_ours = err == ENOENT || err == ENOTDIR || err == ELOOP || err == EACCES;
    if (!is_not_ours) throw failure(err, "cannot open mountpoint", wafer.mountpoint);
  }
  if (fd && wafer.backend == BackendKind::namespace_) {
    remove_marker(fd.get(), wafer.mountpoint);
    if (wafer.mountpoint_mode) std::ignore = ::fchmod(fd.get(), *wafer.mountpoint_mode);
  }
  fd.reset();
  std::vector<fs::path> made = wafer.mountpoint_parents;
  if (wafer.mountpoint_made) made.push_back(wafer.mountpoint);
  for (auto path = made.rbegin(); path != made.rend(); ++path) {
    if (::rmdir(path->c_str()) == 0 || errno == ENOENT) continue;
    const int err = errno;
    if (err == ENOTEMPTY || err == EEXIST) return;
    throw failure(err, "cannot remove", *path);
  }
}

}  // namespace wafers
