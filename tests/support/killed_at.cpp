// killed_at CALL COMMAND [ARGS...]: runs a command and kills it (SIGKILL) as it is about to make
// the first system call of that kind. Exits with 0 where it was killed, with 1 where it ended
// before that.

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace {

/// With PTRACE_O_TRACESYSGOOD a stop at a system call can be told from a signal (ptrace(2)).
constexpr int kSystemCall = SIGTRAP | 0x80;

const std::map<std::string, long> kNumbers{{"renameat2", SYS_renameat2},
                                           {"unlinkat", SYS_unlinkat}};

[[noreturn]] void give_up(const char* doing) {
  std::perror(doing);
  std::exit(2);
}

void wait_for(pid_t pid, int& status) {
  if (::waitpid(pid, &status, 0) != pid) give_up("waitpid");
}

bool is_about_to_call(pid_t pid, long number) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) give_up("ptrace");
  return info.op == PTRACE_SYSCALL_INFO_ENTRY &&
         info.entry.nr == static_cast<std::uint64_t>(number);
}

/// True where it was killed. A program that takes the process's place is watched as well.
bool kill_at(pid_t pid, long number) {
  int status = 0;
  wait_for(pid, status);  // its first execve(2)
  if (::ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    give_up("ptrace");
  }
  int signal = 0;
  while (::ptrace(PTRACE_SYSCALL, pid, 0, signal) == 0) {
    wait_for(pid, status);
    if (!WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) == kSystemCall && is_about_to_call(pid, number)) {
      ::kill(pid, SIGKILL);
      wait_for(pid, status);
      return true;
    }
    const bool is_ours = WSTOPSIG(status) == kSystemCall || WSTOPSIG(status) == SIGTRAP;
    signal = is_ours ? 0 : WSTOPSIG(status);
  }
  give_up("ptrace");
}

}  // namespace

int main(int argc, char** argv) {
  const auto call = argc < 3 ? kNumbers.end() : kNumbers.find(argv[1]);
  if (call == kNumbers.end()) {
    std::fputs("usage: killed_at renameat2|unlinkat COMMAND [ARGS...]\n", stderr);
    return 2;
  }
  const pid_t pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execvp(argv[2], argv + 2);
    give_up(argv[2]);
  }
  return kill_at(pid, call->second) ? 0 : 1;
}
