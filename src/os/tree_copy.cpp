#include "os/tree_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"
#include "os/interrupt.h"

namespace wafers {
namespace {

/// How often what changes all the time is looked at again.
constexpr int kTries = 3;
constexpr int kPatience = 1000;
constexpr mode_t kAllModes = 07777;

[[noreturn]] void fail(int err, const std::string& path) {
  throw Error::system(err, "cannot copy " + in_quotes(path));
}

void require(int result, const std::string& path) {
  if (result < 0) fail(errno, path);
}

bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

/// What a file system says that has no such call for these files.
bool is_not_offered(int err) {
  return err == EOPNOTSUPP || err == EXDEV || err == EINVAL || err == ENOSYS || err == ENOTTY ||
         err == EPERM;
}

/// Bytes of `from` at `at`, up to `end`. Returns where they end: earlier where the file does.
off_t copy_range(int from, int to, off_t at, off_t end, const std::string& path) {
  constexpr std::size_t kAtOnce = std::size_t{16} << 20U;
  std::string buffer;
  while (at < end) {
    InterruptGuard::check();
    const std::size_t wanted = std::min(kAtOnce, static_cast<std::size_t>(end - at));
    off_t in = at;
    off_t out = at;
    ssize_t done = buffer.empty() ? ::copy_file_range(from, &in, to, &out, wanted, 0) : ssize_t{-1};
    if (done < 0 && (!buffer.empty() || is_not_offered(errno))) {
      buffer.resize(std::size_t{1} << 17U);
      done = ::pread(from, buffer.data(), std::min(buffer.size(), wanted), at);
      if (done > 0) done = ::pwrite(to, buffer.data(), static_cast<std::size_t>(done), at);
    }
    if (done < 0) fail(errno, path);
    if (done == 0) break;
    at += done;
  }
  return at;
}

/// Holes stay holes.
void copy_data(int from, const struct stat& st, int to, const std::string& path) {
  constexpr off_t kBlock = 512;
  if (st.st_blocks * kBlock >= st.st_size) {
    copy_range(from, to, 0, st.st_size, path);
    return;
  }
  require(::ftruncate(to, st.st_size), path);
  for (off_t at = 0; at < st.st_size;) {
    const off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return;
    const off_t hole = data < 0 ? -1 : ::lseek(from, data, SEEK_HOLE);
    const off_t begin = data < 0 ? at : data;
    const off_t end = std::min(hole < 0 ? st.st_size : hole, st.st_size);
    const off_t reached = copy_range(from, to, begin, end, path);
    if (reached < end) {
      require(::ftruncate(to, reached), path);  // it was cut off meanwhile
      return;
    }
    at = end;
  }
}

/// A program's own, or a mark that says what the entry is: without it the copy is another thing.
bool is_needed(std::string_view attribute) {
  return attribute.starts_with("user.") || attribute.starts_with("trusted.");
}

void copy_attribute(int from, int to, const char* name, const std::string& path) {
  constexpr std::size_t kUsual = 256;
  std::string value(kUsual, '\0');
  ssize_t size = ::fgetxattr(from, name, value.data(), value.size());
  if (size < 0 && errno == ERANGE) {
    value.resize(XATTR_SIZE_MAX);
    size = ::fgetxattr(from, name, value.data(), value.size());
  }
  if (size < 0 && errno == ENODATA) return;
  if (size >= 0 && ::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) == 0) {
    return;
  }
  const int err = errno;
  if (!is_needed(name) && is_not_offered(err)) return;
  fail(err, path);
}

void copy_attributes(int from, int to, const std::string& path) {
  constexpr std::size_t kUsual = 1024;
  std::string names(kUsual, '\0');
  ssize_t size = ::flistxattr(from, names.data(), names.size());
  if (size < 0 && errno == ERANGE) {
    names.resize(XATTR_LIST_MAX);
    size = ::flistxattr(from, names.data(), names.size());
  }
  if (size < 0 && !is_not_offered(errno)) fail(errno, path);
  names.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  for (std::size_t at = 0; at < names.size(); at += std::strlen(names.c_str() + at) + 1) {
    copy_attribute(from, to, names.c_str() + at, path);
  }
}

/// The mode that the copy may have: one that runs as another is for the owner alone to give.
mode_t give_owner(const struct stat& st, int to, const char* name, const std::string& path) {
  if (::fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0) {
    return st.st_mode & kAllModes;
  }
  if (!is_not_offered(errno)) fail(errno, path);
  return st.st_mode & kAllModes & ~static_cast<mode_t>(S_ISUID | S_ISGID);
}

void give_times(const struct stat& st, int to, const char* name, const std::string& path) {
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  require(*name == '\0' ? ::futimens(to, times.data())
                        : ::utimensat(to, name, times.data(), AT_SYMLINK_NOFOLLOW),
          path);
}

struct stat status_of(const PlainDir& directory) {
  struct stat st {};
  require(::fstat(directory.fd(), &st), directory.path());
  return st;
}

/// For those that still are what was copied. Until then the owner may write in the copies.
void give_modes_and_times(const PlainDir& from, const PlainDir& to) {
  for (const std::string& name : to.names()) {
    const auto st = to.stat(name);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const auto source = from.find_directory(name);
    if (source) give_modes_and_times(*source, to.open_directory(name));
  }
  const struct stat st = status_of(from);
  require(::fchmod(to.fd(), give_owner(st, to.fd(), "", to.path())), to.path());
  give_times(st, to.fd(), "", to.path());
}

void copy_symlink(const struct stat& st, const PlainDir& from, const std::string& name,
                  const PlainDir& to) {
  const std::string path = to.path_of(name);
  require(::symlinkat(from.read_link(name).c_str(), to.fd(), name.c_str()), path);
  give_owner(st, to.fd(), name.c_str(), path);
  give_times(st, to.fd(), name.c_str(), path);
}

/// A fifo, socket or device.
void copy_special(const struct stat& st, const std::string& name, const PlainDir& to) {
  const std::string path = to.path_of(name);
  const mode_t type = (st.st_mode & S_IFMT) | S_IRUSR | S_IWUSR;
  const int err = ::mknodat(to.fd(), name.c_str(), type, st.st_rdev) == 0 ? 0 : errno;
  // A device, of which an ordinary user can make none.
  if (err == EPERM) throw Unreadable(err, "cannot copy " + in_quotes(path));
  if (err != 0) fail(err, path);
  const mode_t mode = give_owner(st, to.fd(), name.c_str(), path);
  require(::fchmodat(to.fd(), name.c_str(), mode, 0), path);
  give_times(st, to.fd(), name.c_str(), path);
}

/// `path` below `top` for as long as it is made of directories: calls `use` with the last one.
void with_directory(const PlainDir& top, std::string_view path,
                    const std::function<void(const PlainDir&)>& use) {
  if (path.empty()) return use(top);
  const std::size_t slash = path.find('/');
  const auto next = top.find_directory(std::string(path.substr(0, slash)));
  if (!next) return;
  with_directory(*next, slash == path.npos ? "" : path.substr(slash + 1), use);
}

}  // namespace

TreeCopy::TreeCopy(const PlainDir& top, Files files)
    : top_(top), files_(files), contents_(kWaiting, [this](const Opened& file) { fill(file); }) {}

void TreeCopy::copy_all(const PlainDir& from) {
  finishes_all_ = true;
  copy_attributes(from.fd(), top_.fd(), top_.path());
  copy_missing(from, top_);
  // What went from one directory to another while both were copied may have been missed.
  for (int i = 0; i < kTries && look_again(from, top_); ++i) continue;
  contents_.finish();
}

std::optional<struct stat> TreeCopy::copy(const PlainDir& from, const std::string& name,
                                          const PlainDir& to) {
  finishes_all_ = true;
  return copy_entry(from, name, to);
}

void TreeCopy::copy_path(const PlainDir& from, std::string_view path) {
  try {
    copy_below(from, top_, path, false);
  } catch (const Error& error) {
    if (!is_left_out(error)) throw;
    tell_(error);
  }
}

/// `is_made`: `to` is a copy itself.
void TreeCopy::copy_below(const PlainDir& from, const PlainDir& to, std::string_view path,
                          bool is_made) {
  const std::size_t slash = path.find('/');
  const std::string name(path.substr(0, slash));
  const bool is_there = to.stat(name).has_value();
  const auto note_directory = [&] {
    if (!is_made && !is_there) made_.push_back(to.path_of(name));
  };
  if (slash == path.npos) {
    if (is_there) {
      throw ChangedMeanwhile(ErrorKind::failed, "cannot copy " + in_quotes(to.path_of(name)) +
                                                    ": there is something of that name");
    }
    const auto copied = copy_entry(from, name, to);
    if (copied && S_ISDIR(copied->st_mode)) note_directory();
    return;
  }
  const auto source = from.find_directory(name);
  if (!source) return;
  if (!is_there) {
    require(::mkdirat(to.fd(), name.c_str(), S_IRWXU), to.path_of(name));
    note_directory();
  }
  copy_below(*source, to.open_directory(name), path.substr(slash + 1), is_made || !is_there);
}

bool TreeCopy::is_left_out(const Error& error) const {
  const bool is_of_the_entry = dynamic_cast<const Unreadable*>(&error) != nullptr ||
                               dynamic_cast<const ChangedMeanwhile*>(&error) != nullptr;
  return tell_ && is_of_the_entry && !error.is_shortage();
}

void TreeCopy::finish(const PlainDir& from) {
  contents_.finish();
  if (finishes_all_) return give_modes_and_times(from, top_);
  for (const std::string& directory : made_) {
    with_directory(from, directory, [&](const PlainDir& source) {
      with_directory(top_, directory,
                     [&](const PlainDir& copy) { give_modes_and_times(source, copy); });
    });
  }
}

/// Copies what `to` lacks. Says whether there was anything.
bool TreeCopy::copy_missing(const PlainDir& from, const PlainDir& to) {
  const struct stat self = status_of(from);
  directories_.emplace(self.st_dev, self.st_ino);
  bool found = false;
  bool vanished = true;  // it may have another name by now
  for (int i = 0; i < kPatience && std::exchange(vanished, false); ++i) {
    for (const std::string& name : from.names()) {
      if (to.stat(name)) continue;
      const bool copied = copy_entry(from, name, to).has_value();
      found = found || copied;
      vanished = vanished || !copied;
    }
  }
  return found;
}

/// The same for all directories that were copied.
bool TreeCopy::look_again(const PlainDir& from, const PlainDir& to) {
  bool found = copy_missing(from, to);
  for (const std::string& name : to.names()) {
    const auto present = to.stat(name);
    if (!present || !S_ISDIR(present->st_mode)) continue;
    const auto source = from.find_directory(name);
    if (!source) continue;
    // One that was made in the place of the copied one isn't mixed with it.
    const struct stat st = status_of(*source);
    if (!directories_.contains({st.st_dev, st.st_ino})) continue;
    found = look_again(*source, to.open_directory(name)) || found;
  }
  return found;
}

std::optional<struct stat> TreeCopy::copy_entry(const PlainDir& from, const std::string& name,
                                                const PlainDir& to) {
  std::optional<struct stat> st;
  for (int i = 0; i < kPatience; ++i) {
    InterruptGuard::check();
    try {
      st = from.stat(name);
      if (!st) return st;
      if (copy_as(*st, from, name, to)) {
        if (copied_) copied_();
        return st;
      }
    } catch (const ChangedMeanwhile&) {  // NOLINT(bugprone-empty-catch): so it is looked up again
    } catch (const Unreadable& error) {
      if (!is_left_out(error)) throw;
      tell_(error);
      return st;
    }
  }
  throw Error(ErrorKind::failed,
              "cannot copy " + in_quotes(from.path_of(name)) + ": it changes all the time");
}

/// False where it is something else by now.
bool TreeCopy::copy_as(const struct stat& st, const PlainDir& from, const std::string& name,
                       const PlainDir& to) {
  if (files_ == Files::linked && !S_ISDIR(st.st_mode)) {
    if (::linkat(from.fd(), name.c_str(), to.fd(), name.c_str(), 0) == 0) return true;
    if (errno == ENOENT) return false;
    fail(errno, to.path_of(name));
  }
  switch (st.st_mode & S_IFMT) {
    case S_IFREG:
      return copy_file(from, name, to);
    case S_IFDIR:
      return copy_directory(from, name, to);
    case S_IFLNK:
      copy_symlink(st, from, name, to);
      return true;
    default:
      copy_special(st, name, to);
      return true;
  }
}

bool TreeCopy::copy_directory(const PlainDir& from, const std::string& name, const PlainDir& to) {
  const auto source = from.find_directory(name);
  if (!source) return false;
  require(::mkdirat(to.fd(), name.c_str(), S_IRWXU), to.path_of(name));
  const PlainDir copy = to.open_directory(name);
  copy_attributes(source->fd(), copy.fd(), copy.path());
  copy_missing(*source, copy);
  return true;
}

bool TreeCopy::copy_file(const PlainDir& from, const std::string& name, const PlainDir& to) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  Opened file;
  auto source = from.find_file(name, &file.st);
  if (!source) return false;
  const Identity identity{file.st.st_dev, file.st.st_ino};
  if (file.st.st_nlink > 1 && link_to_copy(identity, name, to)) return true;
  file.source = std::move(*source);
  file.path = to.path_of(name);
  file.copy = open_at(to.fd(), name, kFlags, S_IRUSR | S_IWUSR);
  require(file.copy.get(), file.path);
  if (file.st.st_nlink > 1) links_.emplace(identity, file.path);
  contents_.add(std::move(file), 1);
  return true;
}

void TreeCopy::fill(const Opened& file) {
  const int copy = file.copy.get();
  struct stat st = file.st;
  copy_content(file.source.get(), st, copy, file.path);
  const mode_t mode = give_owner(st, copy, "", file.path);
  copy_attributes(file.source.get(), copy, file.path);
  require(::fchmod(copy, mode), file.path);
  give_times(st, copy, "", file.path);
}

/// False where its content is to be copied: no other name was, or not so many may be linked.
bool TreeCopy::link_to_copy(const Identity& file, const std::string& name,
                            const PlainDir& to) const {
  const auto known = links_.find(file);
  return known != links_.end() &&
         ::linkat(top_.fd(), known->second.c_str(), to.fd(), name.c_str(), 0) == 0;
}

void TreeCopy::copy_content(int from, struct stat& st, int to, const std::string& path) {
  if (clone(from, to)) return;
  for (int i = 0; i < kTries; ++i) {
    copy_data(from, st, to, path);
    const struct stat before = st;
    require(::fstat(from, &st), path);
    if (same_content(before, st)) return;
    if (i + 1 < kTries) require(::ftruncate(to, 0), path);
  }
}

/// By reflink, all at once.
bool TreeCopy::clone(int from, int to) {
  if (!can_clone_) return false;
  if (::ioctl(to, FICLONE, from) == 0) return true;
  // EINVAL is of this file alone.
  can_clone_ = errno == EINVAL || !is_not_offered(errno);
  return false;
}

}  // namespace wafers
