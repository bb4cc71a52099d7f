// wafers-idle: what a holder becomes once its wafer is mounted. There is one for each mounted
// wafer, all day long, so it does without the C library's start-up code: three pages, where an idle
// program with it touches 700 KB. It takes over pid, session, namespaces and argv from
// wafers-holder, and SIGTERM ends it by default.

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux/holder_job.h"

extern "C" [[noreturn]] void _start() {
  // ps(1) and /proc/<pid>/stat shall show what it is, not how it idles.
  ::syscall(SYS_prctl, PR_SET_NAME, "wafers-holder", 0, 0, 0);
  ::syscall(SYS_close, wafers::kHolderReportFd);
  // syscall(2) alone of the C library: its pause(3) needs thread-local storage, which nobody set
  // up.
  while (true) ::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
}
