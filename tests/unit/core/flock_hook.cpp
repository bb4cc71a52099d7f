#include "flock_hook.h"

#include <sys/file.h>

#include <utility>

namespace {

std::function<void()>& armed() {
  static std::function<void()> instance;
  return instance;
}

}  // namespace

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation) {
  if (const auto hook = std::exchange(armed(), nullptr)) hook();
  return __real_flock(fd, operation);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"

namespace wafers::test {

FlockHook::FlockHook(std::function<void()> hook) { armed() = std::move(hook); }

FlockHook::~FlockHook() { armed() = nullptr; }

}  // namespace wafers::test
