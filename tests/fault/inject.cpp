// Stands between a program and the C library, by the linker's --wrap (tests/fault/CMakeLists.txt
// lists the functions): one call fails, as the plan says. Not async-signal-safe, nor need it be.

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>

#include "fault/plan.h"

// The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

namespace {

using wafers::test::FaultPlan;

extern "C" int __real_open64(const char* path, int flags, ...);

FaultPlan* map_plan() {
  std::array<char, 4096> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return nullptr;
  std::string path(self.data(), static_cast<std::size_t>(length));
  path.replace(path.rfind('/') + 1, std::string::npos, wafers::test::kFaultPlan);
  const int fd = __real_open64(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const memory =
      ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return memory == MAP_FAILED ? nullptr : static_cast<FaultPlan*>(memory);
}

FaultPlan* the_plan() {
  static FaultPlan* const plan = map_plan();
  return plan;
}

bool counts(const FaultPlan& plan, const char* name) {
  const std::string only = plan.only.data();
  return only.empty() ||
         (" " + only + " ").find(std::string(" ") + name + " ") != std::string::npos;
}

/// Whether it is this call's turn to fail.
bool is_due(const char* name) {
  FaultPlan* const plan = the_plan();
  if (plan == nullptr || !counts(*plan, name)) return false;
  const int call = ++plan->calls;
  if (call != plan->fail_at) return false;
  std::strncpy(plan->failed.data(), name, plan->failed.size() - 1);
  return true;
}

bool open_is_due(const char* name, int flags) {
  const bool reads = (flags & (O_ACCMODE | O_CREAT)) == O_RDONLY;
  if (reads && (the_plan() == nullptr || !the_plan()->reading_too)) return false;
  return is_due(name);
}

/// As if the host had run out of something.
int fail(int errnum) {
  errno = errnum;
  return -1;
}

}  // namespace

#define WRAP(type, name, errnum, parameters, arguments)            \
  extern "C" type __real_##name parameters;                        \
  extern "C" type __wrap_##name parameters;                        \
  extern "C" type __wrap_##name parameters {                       \
    return is_due(#name) ? fail(errnum) : __real_##name arguments; \
  }

WRAP(int, mkdir, ENOSPC, (const char* path, mode_t mode), (path, mode))
WRAP(int, mkdirat, ENOSPC, (int fd, const char* path, mode_t mode), (fd, path, mode))
WRAP(int, mknodat, ENOSPC, (int fd, const char* path, mode_t mode, dev_t device),
     (fd, path, mode, device))
WRAP(ssize_t, copy_file_range, ENOSPC,
     (int from, off64_t* in, int to, off64_t* out, std::size_t size, unsigned flags),
     (from, in, to, out, size, flags))
WRAP(int, symlinkat, ENOSPC, (const char* target, int fd, const char* path), (target, fd, path))
WRAP(int, mkostemp64, ENOSPC, (char* path, int flags), (path, flags))
WRAP(int, rename, ENOSPC, (const char* from, const char* to), (from, to))
WRAP(int, renameat2, ENOSPC, (int from, const char* old, int to, const char* now, unsigned flags),
     (from, old, to, now, flags))
WRAP(int, unlink, EIO, (const char* path), (path))
WRAP(int, unlinkat, EIO, (int fd, const char* path, int flags), (fd, path, flags))
WRAP(int, rmdir, EIO, (const char* path), (path))
WRAP(int, chmod, EIO, (const char* path, mode_t mode), (path, mode))
WRAP(int, fchmod, EIO, (int fd, mode_t mode), (fd, mode))
WRAP(int, fsync, EIO, (int fd), (fd))
WRAP(int, syncfs, EIO, (int fd), (fd))
// Whoever heard of an error of write-back is the last to hear of it: what comes next says 0.
WRAP(int, sync_file_range, EIO, (int fd, off64_t offset, off64_t size, unsigned flags),
     (fd, offset, size, flags))
WRAP(int, flock, ENOLCK, (int fd, int operation), (fd, operation))
WRAP(int, futimens, ENOSPC, (int fd, const struct timespec* times), (fd, times))
WRAP(int, linkat, ENOSPC, (int from, const char* old, int to, const char* now, int flags),
     (from, old, to, now, flags))
WRAP(ssize_t, write, ENOSPC, (int fd, const void* data, std::size_t size), (fd, data, size))
WRAP(int, pipe2, EMFILE, (int* fds, int flags), (fds, flags))
WRAP(int, memfd_create, EMFILE, (const char* name, unsigned flags), (name, flags))
WRAP(pid_t, fork, EAGAIN, (), ())
WRAP(int, unshare, ENOSPC, (int flags), (flags))
WRAP(int, setns, EPERM, (int fd, int type), (fd, type))
WRAP(int, chdir, EACCES, (const char* path), (path))
WRAP(int, mount, ENOMEM,
     (const char* source, const char* target, const char* type, unsigned long flags,
      const void* data),
     (source, target, type, flags, data))
WRAP(int, umount2, EIO, (const char* target, int flags), (target, flags))

// Functions with a variable number of arguments, or with another way to fail.

extern "C" int __wrap_open64(const char* path, int flags, ...);
extern "C" int __wrap_open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_is_due("open", flags) ? fail(EMFILE) : __real_open64(path, flags, mode);
}

extern "C" int __real_openat64(int fd, const char* path, int flags, ...);
extern "C" int __wrap_openat64(int fd, const char* path, int flags, ...);
extern "C" int __wrap_openat64(int fd, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_is_due("openat", flags) ? fail(EMFILE) : __real_openat64(fd, path, flags, mode);
}

/// The mount API and pidfds, for which this C library has no functions.
extern "C" long __real_syscall(long number, ...);
extern "C" long __wrap_syscall(long number, ...);
extern "C" long __wrap_syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  std::array<long, 6> arguments{};
  for (long& argument : arguments) argument = va_arg(more, long);
  va_end(more);
  if (is_due("syscall")) return fail(EPERM);
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}

using FileActions = const posix_spawn_file_actions_t*;
using Attributes = const posix_spawnattr_t*;

extern "C" int __real_posix_spawn(pid_t* pid, const char* path, FileActions actions,
                                  Attributes attributes, char* const* argv,
                                  char* const* environment);
extern "C" int __wrap_posix_spawn(pid_t* pid, const char* path, FileActions actions,
                                  Attributes attributes, char* const* argv,
                                  char* const* environment);
extern "C" int __wrap_posix_spawn(pid_t* pid, const char* path, FileActions actions,
                                  Attributes attributes, char* const* argv,
                                  char* const* environment) {
  if (is_due("posix_spawn")) return EAGAIN;
  return __real_posix_spawn(pid, path, actions, attributes, argv, environment);
}

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
