#include "os/worktree_open.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace wafers {
namespace {

/// Component by component, as before Linux 5.6, or where a seccomp filter doesn't know openat2(2).
UniqueFd open_stepwise(int root, const std::string& path, int flags) {
  constexpr int kDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd above;
  std::size_t start = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', start)) {
    const std::string name = path.substr(start, slash - start);
    UniqueFd next(::openat(above ? above.get() : root, name.c_str(), kDirectory));
    if (!next) return {};
    above = std::move(next);
    start = slash + 1;
  }
  return UniqueFd(::openat(above ? above.get() : root, path.c_str() + start, flags | O_NOFOLLOW));
}

}  // namespace

UniqueFd open_in_worktree(int root, const std::string& path, int flags) {
  static std::atomic<bool> has_openat2{true};
  const std::string& name = path.empty() ? std::string(".") : path;
  flags |= O_CLOEXEC;
  if (has_openat2.load(std::memory_order_relaxed)) {
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_NOFOLLOW);
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
    const long fd = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how);
    // EAGAIN: something was renamed meanwhile, and the kernel can't tell that we stay below.
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) {
      return UniqueFd(static_cast<int>(fd));
    }
    if (errno == ENOSYS) has_openat2 = false;
  }
  return open_stepwise(root, name, flags);
}

}  // namespace wafers
