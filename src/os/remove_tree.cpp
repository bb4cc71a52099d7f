#include "os/remove_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/files.h"

namespace wafers {
namespace {

/// Descriptors held open at a time. A directory deeper than that is moved to the top of the tree
/// and removed from there.
constexpr std::size_t kDeepest = 64;

constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);

/// Names in an open directory, at most so many. Taken at once: removing while readdir(3) goes on
/// may skip names.
std::vector<std::string> names_in(int fd, std::size_t most = kNoLimit) {
  std::vector<std::string> names;
  // A description of its own: what is open may have been read before.
  const UniqueFd copy(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy || most == 0) return names;
  for_each_entry(copy.get(), [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return names.size() < most;
  });
  return names;
}

struct MountOf {
  unsigned major = 0, minor = 0;
  std::uint64_t mount = 0;
  bool operator==(const MountOf&) const = default;
};

/// Which mount an open file is on. Before Linux 5.8 the device alone tells.
MountOf mount_of(int fd) {
  struct statx stat {};
  ::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &stat);
  const bool has_id = (stat.stx_mask & STATX_MNT_ID) != 0;
  return {stat.stx_dev_major, stat.stx_dev_minor, has_id ? stat.stx_mnt_id : 0};
}

/// Opens the directory `name` for reading and changing it, giving its owner the right to where that
/// is missing (the kernel leaves work/work with mode 000).
UniqueFd open_directory(int parent, const std::string& name) {
  constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd handle(::openat(parent, name.c_str(), O_PATH | kFlags));
  if (!handle) return {};
  struct stat stat {};
  if (::fstat(handle.get(), &stat) == 0 && (stat.st_mode & S_IRWXU) != S_IRWXU) {
    // fchmod(2) refuses an O_PATH descriptor; the way through /proc follows no other symlink.
    ::chmod(path_of_fd(handle.get()).c_str(), S_IRWXU);
  }
  return UniqueFd(::openat(handle.get(), ".", O_RDONLY | kFlags));
}

/// Whether a tree is small: `left` files and directories at most, and no deeper than kDeepest.
class SizeCheck {
 public:
  SizeCheck(int top, std::size_t most) : left_(most), mount_(mount_of(top)) {}

  bool passes(int fd, std::size_t depth = 0) {
    const auto names = names_in(fd, left_ + 1);
    if (names.size() > left_ || depth > kDeepest) return false;
    left_ -= names.size();
    return std::ranges::all_of(names, [&](const std::string& name) {
      const UniqueFd child = open_directory(fd, name);
      return !child || mount_of(child.get()) != mount_ || passes(child.get(), depth + 1);
    });
  }

 private:
  std::size_t left_;
  MountOf mount_;
};

class Remover {
 public:
  Remover(int top, std::string top_path, const std::function<void()>& removed)
      : top_(top), top_path_(std::move(top_path)), mount_(mount_of(top)), removed_(removed) {}

  void run() {
    clear(top_, top_path_, 0);
    // Each round removes what the one before moved up; it may move up more.
    while (!moved_.empty()) {
      const auto moved = std::exchange(moved_, {});
      for (const auto& [name, path] : moved) remove(top_, name, path, 1);
    }
  }

  void complain(int err, const std::string& path) {
    if (failures_++ == 0) {
      first_errnum_ = err;
      first_path_ = path;
    }
  }

  void throw_failures() const {
    if (failures_ == 0) return;
    std::string message = "cannot remove " + in_quotes(first_path_);
    if (failures_ > 1) message += " and " + std::to_string(failures_ - 1) + " more";
    throw Error::system(first_errnum_, message, hint());
  }

  void remove(int parent, const std::string& name, const std::string& path, std::size_t depth) {
    if (::unlinkat(parent, name.c_str(), 0) == 0) return tell();
    const int unlink_error = errno;
    if (unlink_error == ENOENT) return;
    if (unlink_error != EISDIR && unlink_error != EPERM) return complain(unlink_error, path);
    if (depth > kDeepest && move_up(parent, name, path)) return;
    if (!empty_directory(parent, name, path, depth)) return;
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return tell();
    const int err = errno;
    // What lies in it was complained about already.
    if (err != ENOENT && err != ENOTEMPTY) complain(err == ENOTDIR ? unlink_error : err, path);
  }

 private:
  void tell() const {
    if (removed_) removed_();
  }

  bool empty_directory(int parent, const std::string& name, const std::string& path,
                       std::size_t depth) {
    const UniqueFd fd = open_directory(parent, name);
    const int err = errno;
    if (!fd) {
      // ENOTDIR: a file that may not be unlinked; rmdir says why.
      if (err == ENOTDIR || err == ENOENT || err == ELOOP) return true;
      complain(err, path);
      return false;
    }
    if (mount_of(fd.get()) != mount_) {
      complain(EBUSY, path);
      return false;
    }
    clear(fd.get(), path, depth);
    return true;
  }

  void clear(int fd, const std::string& path, std::size_t depth) {
    const std::string prefix = path + "/";
    for (const std::string& name : names_in(fd)) remove(fd, name, prefix + name, depth + 1);
  }

  bool move_up(int parent, const std::string& name, const std::string& path) {
    // Moving a directory to another parent changes its "..": that needs write permission on it.
    std::ignore = open_directory(parent, name);
    std::string new_name;
    int err = EEXIST;
    while (err == EEXIST) {
      new_name = ".moved-" + std::to_string(counter_++);
      const bool done =
          ::renameat2(parent, name.c_str(), top_, new_name.c_str(), RENAME_NOREPLACE) == 0;
      err = done ? 0 : errno;
    }
    if (err == 0) moved_.emplace(std::move(new_name), path);
    return err == 0;
  }

  std::string hint() const {
    if (first_errnum_ == EBUSY) return "unmount what is mounted there";
    if (first_errnum_ == EACCES || first_errnum_ == EPERM) {
      return "it belongs to somebody else (made by root in the view?): remove it as that user, "
             "then run 'wafers rm' again";
    }
    return {};
  }

  int top_;
  std::string top_path_;
  MountOf mount_;
  const std::function<void()>& removed_;
  std::map<std::string, std::string> moved_;
  std::size_t counter_ = 0;
  std::size_t failures_ = 0;
  int first_errnum_ = 0;
  std::string first_path_;
};

UniqueFd open_parent(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    const int err = errno;
    if (err != ENOENT) {
      throw Error::system(err, "cannot open " + in_quotes(path.parent_path().native()));
    }
  }
  return fd;
}

/// Empty where nothing is there.
UniqueFd open_top(int parent, const std::filesystem::path& path) {
  UniqueFd top = open_directory(parent, path.filename().native());
  const int err = errno;
  if (!top && err != ENOENT) {
    throw Error::system(err, "cannot remove " + in_quotes(path.native()));
  }
  return top;
}

void clear_tree(int top, const std::filesystem::path& path,
                const std::function<void()>& removed = {}) {
  Remover remover(top, path.native(), removed);
  remover.run();
  remover.throw_failures();
}

bool remove_if_small(const std::filesystem::path& path, std::size_t most,
                     const std::function<void()>& removed) {
  const UniqueFd parent = open_parent(path);
  if (!parent) return true;
  const std::string name = path.filename().native();
  // A file or symlink goes at once; a directory answers EISDIR (EPERM from other file systems).
  if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return true;
  const UniqueFd top = open_top(parent.get(), path);
  if (!top) return true;
  if (most != kNoLimit && !SizeCheck(top.get(), most).passes(top.get())) return false;
  clear_tree(top.get(), path, removed);
  if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw_errno("cannot remove", path.native());
  }
  return true;
}

}  // namespace

void remove_children(const std::filesystem::path& directory) {
  const UniqueFd parent = open_parent(directory);
  if (!parent) return;
  if (const UniqueFd top = open_top(parent.get(), directory)) clear_tree(top.get(), directory);
}

void remove_tree(const std::filesystem::path& path, const std::function<void()>& removed) {
  remove_if_small(path, kNoLimit, removed);
}

bool remove_small_tree(const std::filesystem::path& path, std::size_t most) {
  return remove_if_small(path, most, {});
}

}  // namespace wafers
