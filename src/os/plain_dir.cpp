#include "os/plain_dir.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/text.h"
#include "os/directory.h"

namespace wafers {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// The errors of a name that isn't, or isn't any longer, what the caller took it for. ENXIO is a
/// socket that was opened, EINVAL comes from readlinkat(2).
bool means_changed(int errnum) {
  return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == ENXIO ||
         errnum == EINVAL;
}

}  // namespace

PlainDir::PlainDir(UniqueFd fd, std::string path, std::string what)
    : fd_(std::move(fd)), path_(std::move(path)), what_(std::move(what)) {}

PlainDir PlainDir::open(const std::filesystem::path& directory, std::string what) {
  UniqueFd fd(::open(directory.c_str(), kDirectoryFlags));
  if (!fd) {
    const int err = errno;
    throw Unreadable(err, "cannot open " + what + " " + in_quotes(directory.native()));
  }
  return {std::move(fd), {}, std::move(what)};
}

std::string PlainDir::path_of(const std::string& name) const {
  return path_.empty() ? name : path_ + "/" + name;
}

void PlainDir::fail(int errnum, const std::string& doing, const std::string& name) const {
  Unreadable error(errnum, doing + " " + in_quotes(path_of(name)) + " in " + what_);
  if (means_changed(errnum)) throw ChangedMeanwhile(error.kind(), error.message());
  throw Unreadable(std::move(error));
}

PlainDir PlainDir::open_directory(const std::string& name) const {
  auto directory = find_directory(name);
  if (directory) return std::move(*directory);
  throw ChangedMeanwhile(ErrorKind::failed,
                         in_quotes(path_of(name)) + " in " + what_ + " is no directory");
}

std::optional<PlainDir> PlainDir::find_directory(const std::string& name) const {
  UniqueFd fd(::openat(fd_.get(), name.c_str(), kDirectoryFlags));
  if (!fd) {
    const int err = errno;
    if (means_changed(err)) return std::nullopt;
    fail(err, "cannot open directory", name);
  }
  if (refused_ != nullptr) require_no_mark(fd.get(), refused_->directory, name);
  PlainDir child(std::move(fd), path_of(name), what_);
  child.refused_ = refused_;
  return child;
}

void PlainDir::require_no_mark(int fd, const char* attribute, const std::string& name) const {
  if (::fgetxattr(fd, attribute, nullptr, 0) < 0) {
    const int err = errno;
    if (err == ENODATA || err == ENOTSUP) return;
    fail(err, "cannot read " + std::string(attribute) + " of", name);
  }
  throw Unreadable(EPERM, "cannot read " + in_quotes(path_of(name)) + " in " + what_ +
                              ", which has " + attribute);
}

std::vector<std::string> PlainDir::names() const {
  std::vector<std::string> names;
  ::lseek(fd_.get(), 0, SEEK_SET);  // it may have been read before
  const int err = for_each_entry(fd_.get(), [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  if (err != 0 && err != ENOENT) {  // one that is removed while it is read has nothing in it
    throw Unreadable(err, "cannot read directory " + in_quotes(path_) + " in " + what_);
  }
  // A name that is renamed while the directory is read can come twice.
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<struct stat> PlainDir::stat(const std::string& name) const {
  struct stat st {};
  if (::fstatat(fd_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  const int err = errno;
  if (err == ENOENT) return std::nullopt;
  fail(err, "cannot look at", name);
}

UniqueFd PlainDir::open_file(const std::string& name, struct stat* stat_out) const {
  auto fd = find_file(name, stat_out);
  if (fd) return std::move(*fd);
  throw ChangedMeanwhile(ErrorKind::failed,
                         in_quotes(path_of(name)) + " in " + what_ + " is no regular file");
}

std::optional<UniqueFd> PlainDir::find_file(const std::string& name, struct stat* stat_out) const {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(::openat(fd_.get(), name.c_str(), kFlags));
  if (!fd || ::fstat(fd.get(), stat_out) != 0) {
    const int err = errno;
    if (means_changed(err)) return std::nullopt;
    fail(err, "cannot open", name);
  }
  if (!S_ISREG(stat_out->st_mode)) return std::nullopt;
  if (refused_ != nullptr) require_no_mark(fd.get(), refused_->file, name);
  return fd;
}

std::string PlainDir::read_link(const std::string& name) const {
  std::array<char, PATH_MAX + 1> target{};
  const ssize_t length = ::readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
  if (length < 0) {
    const int err = errno;
    fail(err, "cannot read symlink", name);
  }
  return {target.data(), static_cast<std::size_t>(length)};
}

}  // namespace wafers
