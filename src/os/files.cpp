#include "os/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

/// Appends to `out` until end of file; the errno of a failed read, else 0.
int append_to_end(int fd, std::string& out) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return 0;
    if (count > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

}  // namespace

UniqueFd open_anchor(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
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

std::optional<std::string> read_small_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd || append_to_end(fd.get(), text) != 0) return std::nullopt;
  return text;
}

void write_existing_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    return;
  throw_errno("cannot write", path);
}

std::string read_to_end(int fd) {
  std::string text;
  if (const int err = append_to_end(fd, text); err != 0) throw Error::system(err, "cannot read");
  return text;
}

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count >= 0) {
      data.remove_prefix(static_cast<std::size_t>(count));
    } else if (const int err = errno; err != EINTR) {
      throw Error::system(err, "cannot write");
    }
  }
}

void sync_file_system(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && ::syncfs(fd.get()) == 0) return;
  const int err = errno;
  throw Error::system(
      err, "cannot sync the file system of " + in_quotes(directory.native()),
      err == EIO ? "the disk could not write some of it: look at the kernel's log (dmesg)" : "");
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

}  // namespace wafers
