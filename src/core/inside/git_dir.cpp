#include "core/inside/git_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"

namespace wafers {

namespace fs = std::filesystem;

std::optional<GitDir> GitDir::find(const fs::path& path) {
  UniqueFd fd = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  return GitDir(path, std::move(fd));
}

GitDir GitDir::open(const fs::path& path) {
  auto found = find(path);
  if (!found) throw_errno("cannot open", path.native());
  return *std::move(found);
}

std::optional<std::string> GitDir::small_file(const std::string& name) const {
  constexpr std::size_t kMost = 4096;
  const UniqueFd file = open_at(fd_.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  std::array<char, kMost + 1> content{};
  const ssize_t size = read_full(file.get(), content.data(), content.size());
  if (size < 0 || size > static_cast<ssize_t>(kMost)) return std::nullopt;
  return std::string(content.data(), static_cast<std::size_t>(size));
}

void GitDir::put(const std::string& name, std::string_view content, timespec modified) const {
  const std::string making = name + ".wafers";
  const std::string path = path_of(making);
  ::unlinkat(fd_.get(), making.c_str(), 0);  // left by a killed command
  const UniqueFd file = open_at(fd_.get(), making, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  if (!file) throw_errno("cannot make", path);
  write_all(file.get(), content, path);
  const bool is_given = modified.tv_sec != 0 || modified.tv_nsec != 0;
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, modified};
  if (is_given && ::futimens(file.get(), times.data()) != 0) {
    throw_errno("cannot set the time of", path);
  }
  if (::renameat(fd_.get(), making.c_str(), fd_.get(), name.c_str()) != 0) {
    throw_errno("cannot rename", path);
  }
}

void GitDir::append_to_head_log(std::string_view line, bool begin) const {
  constexpr const char* kLogs = "logs";
  const std::string path = path_of("logs/HEAD");
  if (begin) ::mkdirat(fd_.get(), kLogs, kSharedMode);
  const UniqueFd logs = open_at(fd_.get(), kLogs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (begin ? O_CREAT : 0);
  const UniqueFd file = logs ? open_at(logs.get(), "HEAD", flags, 0666) : UniqueFd();
  if (!file && errno == ENOENT) return;
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) throw_errno("cannot write", path);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::failed, in_quotes(path) + " is no reflog");
  write_all(file.get(), line, path);
}

bool GitDir::has(const std::string& name) const {
  struct stat info {};
  return ::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace wafers
