#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

constexpr std::size_t kPiece = 64UL * 1024;

std::optional<std::string> read_regular(UniqueFd fd, std::string_view name) {
  if (!fd) {
    const int err = errno;
    if (err == ENOENT || err == ENOTDIR || err == ELOOP || err == ENXIO) return std::nullopt;
    throw Error::system(err, "cannot open " + in_quotes(name));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno("cannot look at", name);
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return read_all(fd.get(), name);
}

/// sync_file_range(2) for all of the file; false where there is no such call, or seccomp forbids
/// it.
bool write_back(int fd, unsigned flags, std::string_view what) {
  if (::sync_file_range(fd, 0, 0, flags) == 0) return true;
  const int err = errno;
  if (err == ENOSYS || err == EPERM || err == EINVAL || err == ESPIPE) return false;
  throw Error::system(err, "cannot write " + in_quotes(what));
}

}  // namespace

std::optional<std::string> read_file(const std::filesystem::path& path) {
  return read_regular(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
                      path.native());
}

std::optional<std::string> read_file_at(int directory, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
  return read_regular(UniqueFd(::openat(directory, name.c_str(), kFlags)), name);
}

std::string read_all(int fd, std::string_view what) {
  struct stat info {};
  std::string content;
  std::size_t used = 0;
  // One byte more than the file says it has: then its end shows without another growth.
  const bool sized = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
  content.resize(sized ? static_cast<std::size_t>(info.st_size) + 1 : kPiece);
  while (true) {
    const ssize_t got = ::read(fd, content.data() + used, content.size() - used);
    if (got < 0) {
      const int err = errno;
      if (err == EINTR) continue;
      throw Error::system(err, "cannot read " + in_quotes(what));
    }
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used == content.size()) content.resize(2 * content.size());
  }
  content.resize(used);
  return content;
}

void write_all(int fd, std::string_view data, std::string_view what) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0) {
      const int err = errno;
      if (err == EINTR) continue;
      throw Error::system(err, "cannot write " + in_quotes(what));
    }
    data.remove_prefix(static_cast<std::size_t>(put));
  }
}

void begin_write_back(int fd, std::string_view what) {
  (void)write_back(fd, SYNC_FILE_RANGE_WRITE, what);
}

bool wait_for_write_back(int fd, std::string_view what) {
  return write_back(
      fd, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER, what);
}

void sync_file(int fd, std::string_view what) {
  if (::fsync(fd) == 0) return;
  throw_errno("cannot write", what);
}

void sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && ::fsync(fd.get()) == 0) return;
  const int err = errno;
  // Not every file system can sync a directory; there is nothing more that we could do.
  if (err != EINVAL) {
    throw Error::system(err, "cannot sync directory " + in_quotes(directory.native()));
  }
}

}  // namespace wafers
