#include "os/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

/// "cannot read", or "cannot read 'what'".
std::string doing_to(const char* doing, std::string_view what) {
  return what.empty() ? doing : std::string(doing) + " " + in_quotes(what);
}

/// Appends to the empty `out` until end of file, at first in one read of `first` bytes, later with
/// room for `least` at least; the errno of a failed read, else 0.
int fill(std::string& out, int fd, std::size_t first, std::size_t least) {
  std::size_t used = 0;
  out.resize(first);
  while (true) {
    const ssize_t got = read_some(fd, out.data() + used, out.size() - used);
    if (got <= 0) {
      const int err = got < 0 ? errno : 0;
      out.resize(used);
      return err;
    }
    used += static_cast<std::size_t>(got);
    if (out.size() - used < least) out.resize(2 * out.size());
  }
}

/// As /proc gives it: a page at a time.
int fill_by_pages(std::string& out, int fd) {
  constexpr std::size_t kPage = 4096;
  return fill(out, fd, 2 * kPage, kPage);
}

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

UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode) noexcept {
  return UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, mode));
}

UniqueFd open_at(int directory, const std::filesystem::path& name, int flags,
                 mode_t mode) noexcept {
  return UniqueFd(::openat(directory, name.c_str(), flags | O_CLOEXEC, mode));
}

UniqueFd open_or_throw(const std::filesystem::path& path, int flags, mode_t mode) {
  UniqueFd fd = open_file(path, flags, mode);
  if (!fd) throw_errno("cannot open", path.native());
  return fd;
}

UniqueFd open_anchor(const std::filesystem::path& directory) {
  UniqueFd fd = open_file(directory, O_PATH | O_DIRECTORY);
  if (!fd) throw_errno("cannot open directory", directory.native());
  return fd;
}

std::string path_of_fd(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool is_at(int fd, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(fd, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

std::string identity_of(const std::filesystem::path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) throw_errno("cannot look at", path.native());
  return std::to_string(st.st_dev) + "-" + std::to_string(st.st_ino);
}

UniqueFd make_memory_file(std::string_view content) {
  UniqueFd fd(::memfd_create("wafers", MFD_CLOEXEC));
  if (!fd) throw_errno("cannot make a memory file");
  write_all(fd.get(), content);
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  return read_regular(open_file(path, O_RDONLY | O_NONBLOCK), path.native());
}

std::optional<std::string> read_file_at(int directory, const std::string& name) {
  return read_regular(open_at(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW), name);
}

std::optional<std::string> read_small_file(const std::string& path) {
  const UniqueFd fd = open_file(path, O_RDONLY);
  std::string text;
  if (!fd || fill_by_pages(text, fd.get()) != 0) return std::nullopt;
  return text;
}

std::string read_all(int fd, std::string_view what) {
  constexpr std::size_t kPiece = 64UL * 1024;
  struct stat info {};
  // One byte more than the file says it has: then its end shows without another growth.
  const bool sized = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
  std::string content;
  const int err = fill(content, fd, sized ? static_cast<std::size_t>(info.st_size) + 1 : kPiece, 1);
  if (err != 0) throw Error::system(err, "cannot read " + in_quotes(what));
  return content;
}

std::string read_to_end(int fd) {
  std::string text;
  if (const int err = fill_by_pages(text, fd); err != 0) throw Error::system(err, "cannot read");
  return text;
}

ssize_t read_some(int fd, char* buffer, std::size_t size) noexcept {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

ssize_t read_full(int fd, char* buffer, std::size_t size) noexcept {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = read_some(fd, buffer + done, size - done);
    if (got < 0) return got;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

void write_all(int fd, std::string_view data, std::string_view what) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put >= 0) {
      data.remove_prefix(static_cast<std::size_t>(put));
    } else if (const int err = errno; err != EINTR) {
      throw Error::system(err, doing_to("cannot write", what));
    }
  }
}

void put_content(const std::filesystem::path& path, std::string_view content) {
  const UniqueFd fd = open_or_throw(path, O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
  write_all(fd.get(), content, path.native());
}

void write_existing_file(const std::string& path, std::string_view text) {
  const UniqueFd fd = open_file(path, O_WRONLY);
  if (fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return;
  }
  throw_errno("cannot write", path);
}

void copy_owner_and_mode(const std::filesystem::path& from, const std::filesystem::path& to) {
  struct stat st {};
  if (::stat(from.c_str(), &st) != 0) throw_errno("cannot look at", from.native());
  std::ignore = ::chown(to.c_str(), st.st_uid, st.st_gid);
  if (::chmod(to.c_str(), st.st_mode & 07777U) != 0)
    throw_errno("cannot set the mode of", to.native());
}

void make_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) throw_errno("cannot make directory", path.native());
}

void make_missing_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return;
  throw_errno("cannot make directory", path.native());
}

void begin_write_back(int fd, std::string_view what) {
  (void)write_back(fd, SYNC_FILE_RANGE_WRITE, what);
}

bool wait_for_write_back(int fd, std::string_view what) {
  return write_back(
      fd, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER, what);
}

void sync_file(int fd, std::string_view what) {
  if (::fsync(fd) != 0) throw_errno("cannot write", what);
}

void sync_where_possible(int fd, std::string_view what) {
  if (::fsync(fd) == 0) return;
  const int err = errno;
  if (err != EINVAL) throw Error::system(err, "cannot sync " + in_quotes(what));
}

void sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd = open_or_throw(directory, O_RDONLY | O_DIRECTORY);
  sync_where_possible(fd.get(), directory.native());
}

void sync_file_system(const std::filesystem::path& directory) {
  const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (fd && ::syncfs(fd.get()) == 0) return;
  const int err = errno;
  throw Error::system(
      err, "cannot sync the file system of " + in_quotes(directory.native()),
      err == EIO ? "the disk could not write some of it: look at the kernel's log (dmesg)" : "");
}

}  // namespace wafers
