#include "os/supervise.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>

#include "base/error.h"

namespace wafers {
namespace {

/// Blocks signals for as long as it lives.
class Blocked {
 public:
  explicit Blocked(const sigset_t& set) { ::sigprocmask(SIG_BLOCK, &set, &before_); }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  ~Blocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  const sigset_t& before() const noexcept { return before_; }

 private:
  sigset_t before_{};
};

sigset_t supervised() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) {
    ::sigaddset(&set, signal);
  }
  return set;
}

/// Absent while it is alive.
std::optional<ExitStatus> ended(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return std::nullopt;
  if (WIFSIGNALED(status)) return ExitStatus{.code = 0, .signal = WTERMSIG(status)};
  return ExitStatus{.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace

ExitStatus supervise(const std::function<int()>& work) {
  const sigset_t set = supervised();
  const Blocked blocked(set);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw_errno("cannot fork");
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &blocked.before(), nullptr);
    const int status = work();
    std::fflush(nullptr);
    ::_exit(status);
  }
  while (true) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&set, &info);
    if (const auto status = ended(child)) return *status;
    // SI_KERNEL: the terminal has sent it to all of its foreground.
    if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) ::kill(child, signal);
  }
}

}  // namespace wafers
