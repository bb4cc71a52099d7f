#include "support/process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/fd.h"

namespace wafers::test {

void kill_and_wait(pid_t pid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0) {
    throw std::runtime_error("there is no process to kill");
  }
  pollfd end{process.get(), POLLIN, 0};  // pidfd_open(2): readable once it has ended
  while (::poll(&end, 1, -1) < 0 && errno == EINTR) {
  }
}

bool is_running(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  // The state stands behind the command in parentheses (proc_pid_stat(5)).
  const std::size_t end = stat.rfind(") ");
  return end != std::string::npos && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

}  // namespace wafers::test
