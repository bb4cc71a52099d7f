#include "os/orphans.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "os/child.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

bool in_first_pid_namespace() {
  constexpr ino_t kFirst = 0xEFFFFFFC;  // PROC_PID_INIT_INO in include/linux/proc_ns.h
  struct stat st {};
  return ::stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == kFirst;
}

/// Whether SIGCHLD is in the mask on the line, which is a name, a tab and 16 hexadecimal digits.
bool names_child_signal(const std::string& line, const std::string& name) {
  if (!line.starts_with(name)) return false;
  const unsigned long long mask = std::strtoull(line.c_str() + name.size(), nullptr, 16);
  return (mask >> (SIGCHLD - 1) & 1) != 0;
}

}  // namespace

bool orphans_are_reaped() {
  if (in_first_pid_namespace()) return true;
  const auto lines = split(read_small_file("/proc/1/status").value_or(""), '\n');
  return std::ranges::any_of(lines, [](const std::string& line) {
    return names_child_signal(line, "SigBlk:") || names_child_signal(line, "SigIgn:");
  });
}

bool try_leaving_an_orphan() {
  if (in_first_pid_namespace()) return true;
  const Pipe pipe = make_pipe();
  const auto failure = run_in_child([&] {
    const pid_t orphan = ::fork();
    if (orphan < 0) throw Error::system(errno, "cannot fork");
    if (orphan == 0) ::_exit(0);
    write_all(pipe.writer.get(),
              std::string_view(reinterpret_cast<const char*>(&orphan), sizeof orphan));
  });
  if (failure) throw failure->error();
  pid_t orphan = 0;
  if (::read(pipe.reader.get(), &orphan, sizeof orphan) != sizeof orphan) return true;
  for (int i = 0; i < 100; ++i) {
    if (!read_process_stat(orphan)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace wafers
