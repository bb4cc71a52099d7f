#include "git/objects/shared_mode.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "git/text/config_text.h"

namespace wafers::git {
namespace {

constexpr mode_t kGroup = 0660;
constexpr mode_t kEverybody = 0664;

}  // namespace

SharedMode SharedMode::parse(const std::optional<std::string>& value) {
  SharedMode mode;
  const std::string text = value.value_or(std::string());
  if (text.empty() || text == "umask") return mode;
  mode.kind_ = Kind::added;
  mode.bits_ = text == "group" ? kGroup : kEverybody;
  if (text == "group" || text == "all" || text == "world" || text == "everybody") return mode;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (error != std::errc() || end != text.data() + text.size()) {
    const std::optional<bool> yes = parse_bool(value);
    if (!yes)
      throw Error(ErrorKind::failed, "bad value for core.sharedRepository: " + in_quotes(text));
    mode.kind_ = *yes ? Kind::added : Kind::umask;
    mode.bits_ = kGroup;
    return mode;
  }
  // path.c and setup.c: 0, 1 and 2 are the old names of umask, group and all.
  if (number == 0) return {};
  if (number == 1) mode.bits_ = kGroup;
  if (number <= 2) return mode;
  if ((number & 0600U) != 0600U) {
    throw Error(ErrorKind::failed,
                "core.sharedRepository " + in_quotes(text) + " would lock out the files' owner");
  }
  mode.kind_ = Kind::exact;
  mode.bits_ = number & 0666U;
  return mode;
}

mode_t SharedMode::adjusted(mode_t mode) const {
  mode_t extra = bits_;
  if ((mode & S_IWUSR) == 0) extra &= ~mode_t{0222};
  if ((mode & S_IXUSR) != 0) extra |= (extra & 0444U) >> 2U;
  const mode_t before = mode & 07777U;
  mode_t after = kind_ == Kind::exact ? (before & ~mode_t{0777}) | extra : before | extra;
  if (S_ISDIR(mode)) after |= ((after & 0444U) >> 2U) | S_ISGID;
  return after;
}

void SharedMode::adjust(const std::filesystem::path& path) const {
  if (kind_ == Kind::umask) return;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw_errno("cannot look at", path.native());
  const mode_t after = adjusted(info.st_mode);
  if (after == (info.st_mode & 07777U) || ::chmod(path.c_str(), after) == 0) return;
  throw_errno("cannot set permissions of", path.native());
}

void SharedMode::adjust(int fd, const std::filesystem::path& name) const {
  if (kind_ == Kind::umask) return;
  struct stat info {};
  if (::fstat(fd, &info) == 0 && (adjusted(info.st_mode) == (info.st_mode & 07777U) ||
                                  ::fchmod(fd, adjusted(info.st_mode)) == 0)) {
    return;
  }
  throw_errno("cannot set permissions of", name.native());
}

void SharedMode::make_directories(const std::filesystem::path& directory) const {
  if (::mkdir(directory.c_str(), 0777) == 0) return adjust(directory);
  const int err = errno;
  if (err == ENOENT && directory.has_relative_path()) {
    make_directories(directory.parent_path());
    if (::mkdir(directory.c_str(), 0777) == 0) return adjust(directory);
    if (errno == EEXIST) return;
  }
  struct stat info {};
  if (err == EEXIST && ::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  throw Error::system(err, "cannot make directory " + in_quotes(directory.native()));
}

}  // namespace wafers::git
