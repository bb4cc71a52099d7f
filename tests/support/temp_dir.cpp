#include "support/temp_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/fd.h"

namespace wafers::test {
namespace {

/// Deeper directories are moved up to the top, so that descriptors and stack stay bounded.
constexpr int kDepthLimit = 100;

struct CloseDirectory {
  void operator()(DIR* stream) const noexcept { ::closedir(stream); }
};

std::vector<std::string> names_in(int dirfd) {
  UniqueFd own(::openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDirectory> stream(own ? ::fdopendir(own.get()) : nullptr);
  std::vector<std::string> names;
  if (!stream) return names;
  (void)own.release();
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

UniqueFd open_directory(int dirfd, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(dirfd, name.c_str(), kFlags));
  struct stat st {};
  const bool is_directory =
      ::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
  // Without write permission the entries can't be removed; without read permission not even listed.
  if (is_directory && (st.st_mode & S_IRWXU) != S_IRWXU) {
    ::fchmodat(dirfd, name.c_str(), S_IRWXU, 0);
    if (!fd) fd.reset(::openat(dirfd, name.c_str(), kFlags));
  }
  return fd;
}

void empty_directory(int top, int dirfd, int depth, int& moved) {
  for (const std::string& name : names_in(dirfd)) {
    if (::unlinkat(dirfd, name.c_str(), 0) == 0) continue;
    const UniqueFd child = open_directory(dirfd, name);
    if (!child) continue;
    if (depth >= kDepthLimit) {
      const std::string parked = ".wafers-test-parked-" + std::to_string(moved++);
      if (::renameat(dirfd, name.c_str(), top, parked.c_str()) == 0) continue;
    }
    empty_directory(top, child.get(), depth + 1, moved);
    ::unlinkat(dirfd, name.c_str(), AT_REMOVEDIR);
  }
}

}  // namespace

bool remove_tree(const std::filesystem::path& top) {
  if (::unlink(top.c_str()) == 0) return true;
  const UniqueFd fd = open_directory(AT_FDCWD, top);
  int moved = 0;
  int seen = -1;
  while (fd && moved != seen) {  // once more for what was parked at the top meanwhile
    seen = moved;
    empty_directory(fd.get(), fd.get(), 0, moved);
  }
  return ::rmdir(top.c_str()) == 0 || errno == ENOENT;
}

TempDir::TempDir(const std::string& name) {
  std::string pattern =
      std::filesystem::canonical(std::filesystem::temp_directory_path()) / "wafers-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
  }
  top_ = pattern;
  path_ = name.empty() ? top_ : top_ / name;
  std::filesystem::create_directory(path_);
}

TempDir::~TempDir() { remove_tree(top_); }

}  // namespace wafers::test
