// wafers-idle: what a holder becomes once its wafer is mounted. There is one for each mounted
// wafer, all day long, so it does without the C library's start-up code: three pages, where an idle
// program with it touches 700 KB. It takes over pid, session, namespaces and argv from
// wafers-holder, and becomes that again, with the same argv, when SIGTERM comes.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/holder_job.h"

namespace {

// syscall(2) alone of the C library, whose other functions need thread-local storage, which nothing
// set up. A call that fails would set errno there, and ends this process: those below don't.

/// Reads the descriptor once; what it gives is the caller's.
long read_once(long fd, char* buffer, long size) { return ::syscall(SYS_read, fd, buffer, size); }

/// Splits what /proc says of argv. Through volatile: a compiler that knows what the loop does calls
/// a function of the C library.
void split(char* words, long size, char** argv, int most) {
  int count = 0;
  bool at_start = true;
  for (long i = 0; i < size && count < most; ++i) {
    volatile char* const byte = words + i;
    if (at_start) argv[count++] = words + i;
    at_start = *byte == 0;
  }
  argv[count] = nullptr;
}

[[noreturn]] void become_holder() {
  constexpr int kWords = 4;  // of which three are paths at most
  constexpr long kSize = 16384;
  char words[kSize];
  char* argv[kWords + 1];
  char* no_environment[1];
  no_environment[0] = nullptr;
  const long fd = ::syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
  split(words, read_once(fd, words, kSize), argv, kWords);
  ::syscall(SYS_execveat, wafers::kHolderProgramFd, "", argv, no_environment, AT_EMPTY_PATH);
  while (true) ::syscall(SYS_exit_group, 1);
}

}  // namespace

extern "C" [[noreturn]] void _start() {
  // ps(1) and /proc/<pid>/stat are to show what it is, not how it idles.
  ::syscall(SYS_prctl, PR_SET_NAME, wafers::kHolderComm, 0, 0, 0);
  ::syscall(SYS_close, wafers::kHolderReportFd);
  alignas(signalfd_siginfo) char signal[sizeof(signalfd_siginfo)];
  // Blocks, also across a stop and its end; SIGTERM is the only one that comes this way.
  read_once(wafers::kHolderSignalFd, signal, sizeof signal);
  become_holder();
}
