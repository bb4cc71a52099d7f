#include "support/read_hook.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace {

struct Armed {
  dev_t device = 0;
  ino_t inode = 0;
  int left = 0;
  int calls = 0;
  std::function<void()> hook;
};

Armed& armed() {
  static Armed instance;
  return instance;
}

void call_hook(int fd) {
  Armed& state = armed();
  struct stat st {};
  if (state.left == 0 || ::fstat(fd, &st) != 0) return;
  if (st.st_dev != state.device || st.st_ino != state.inode) return;
  --state.left;
  ++state.calls;
  state.hook();
}

}  // namespace

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
ssize_t __real_read(int fd, void* buffer, std::size_t size);
ssize_t __wrap_read(int fd, void* buffer, std::size_t size);

ssize_t __wrap_read(int fd, void* buffer, std::size_t size) {
  call_hook(fd);
  return __real_read(fd, buffer, size);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"

namespace wafers::test {

ReadHook::ReadHook(const std::filesystem::path& path, int times, std::function<void()> hook) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) throw std::runtime_error("no file " + path.native());
  armed() = {st.st_dev, st.st_ino, times, 0, std::move(hook)};
}

ReadHook::~ReadHook() { armed() = {}; }

int ReadHook::calls() const { return armed().calls; }

}  // namespace wafers::test
