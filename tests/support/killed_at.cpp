// killed_at CALL[:N] COMMAND [ARGS...]: runs a command and kills it (SIGKILL) as it is about to
// make the first, or N-th, system call of that kind; "change" stands for all that change files,
// mounts or processes. Exits with 0 where it was killed, with 1 where it ended before that.
// Processes that the command starts are let be.

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

namespace {

/// With PTRACE_O_TRACESYSGOOD a stop at a system call can be told from a signal (ptrace(2)).
constexpr int kSystemCall = SIGTRAP | 0x80;

const std::map<std::string, std::set<long>> kCalls{{"renameat2", {SYS_renameat2}},
                                                   {"unlinkat", {SYS_unlinkat}},
                                                   {"change",
                                                    {
#ifdef SYS_mkdir  // newer architectures have the calls with "at" alone
                                                        SYS_mkdir,
                                                        SYS_rmdir,
                                                        SYS_unlink,
                                                        SYS_rename,
                                                        SYS_link,
                                                        SYS_chmod,
                                                        SYS_fork,
                                                        SYS_vfork,
#endif
                                                        SYS_mkdirat,
                                                        SYS_mknodat,
                                                        SYS_unlinkat,
                                                        SYS_renameat,
                                                        SYS_renameat2,
                                                        SYS_linkat,
                                                        SYS_symlinkat,
                                                        SYS_openat,
                                                        SYS_fchmod,
                                                        SYS_fchmodat,
                                                        SYS_ftruncate,
                                                        SYS_write,
                                                        SYS_pwrite64,
                                                        SYS_fsync,
                                                        SYS_fdatasync,
                                                        SYS_setxattr,
                                                        SYS_fsetxattr,
                                                        SYS_copy_file_range,
                                                        SYS_utimensat,
                                                        SYS_mount,
                                                        SYS_umount2,
                                                        SYS_move_mount,
                                                        SYS_clone,
                                                        SYS_clone3,
                                                        SYS_pidfd_send_signal}}};

[[noreturn]] void give_up(const char* doing) {
  std::perror(doing);
  std::exit(2);
}

void wait_for(pid_t pid, int& status) {
  if (::waitpid(pid, &status, 0) != pid) give_up("waitpid");
}

/// An openat(2) counts where it may make a file.
bool is_about_to_call(pid_t pid, const std::set<long>& numbers) {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) give_up("ptrace");
  const auto number = static_cast<long>(info.entry.nr);
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !numbers.contains(number)) return false;
  return number != SYS_openat || (info.entry.args[2] & static_cast<std::uint64_t>(O_CREAT)) != 0;
}

/// True where it was killed. A program that takes the process's place is watched as well.
bool kill_at(pid_t pid, const std::set<long>& numbers, int count) {
  int status = 0;
  wait_for(pid, status);  // its first execve(2)
  if (::ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    give_up("ptrace");
  }
  int signal = 0;
  while (::ptrace(PTRACE_SYSCALL, pid, 0, signal) == 0) {
    wait_for(pid, status);
    if (!WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) == kSystemCall && is_about_to_call(pid, numbers) && --count == 0) {
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
  const std::string wanted = argc < 3 ? "" : argv[1];
  const std::size_t colon = wanted.find(':');
  const auto calls = kCalls.find(wanted.substr(0, colon));
  if (calls == kCalls.end()) {
    std::fputs("usage: killed_at renameat2|unlinkat|change[:N] COMMAND [ARGS...]\n", stderr);
    return 2;
  }
  const int count = colon == std::string::npos ? 1 : std::stoi(wanted.substr(colon + 1));
  const pid_t pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execvp(argv[2], argv + 2);
    give_up(argv[2]);
  }
  return kill_at(pid, calls->second, count) ? 0 : 1;
}
