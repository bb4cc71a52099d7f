#include "support/call_hook.h"

#include <sys/file.h>
#include <unistd.h>

#include <utility>

namespace {

using Hook = std::function<void()>;

Hook& before_flock() {
  static Hook hook;
  return hook;
}

Hook& before_syncfs() {
  static Hook hook;
  return hook;
}

}  // namespace

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_syncfs(int fd);
int __wrap_syncfs(int fd);

int __wrap_flock(int fd, int operation) {
  if (const Hook hook = std::exchange(before_flock(), nullptr)) hook();
  return __real_flock(fd, operation);
}

int __wrap_syncfs(int fd) {
  if (before_syncfs()) before_syncfs()();
  return __real_syncfs(fd);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"

namespace wafers::test {

CallHook::CallHook(Before call, Hook hook)
    : place_(call == Before::next_flock ? before_flock() : before_syncfs()) {
  place_ = std::move(hook);
}

CallHook::~CallHook() { place_ = nullptr; }

}  // namespace wafers::test
