#include "os/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>

#include "base/error.h"
#include "os/files.h"
#include "os/spawn.h"
#include "support/catch.h"

using namespace wafers;

namespace {

const std::string kRest =
    " S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 3 4 5 6 7 8 9 10 11 12 13 14 15";

/// A child that sleeps until it is killed, and is waited for at the end.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const noexcept { return pid_; }

  /// Dead, but not waited for.
  void become_zombie() const {
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("parse_process_stat reads what comes after the command") {
  const auto stat = parse_process_stat("12 (sleep)" + kRest);
  REQUIRE(stat);
  CHECK(stat->pid == 12);
  CHECK(stat->comm == "sleep");
  CHECK(stat->state == 'S');
  CHECK(stat->parent == 7);
  CHECK(stat->cpu_ticks == 0);
  CHECK(stat->start_ticks == 4242);
}

TEST_CASE("parse_process_stat isn't misled by the command") {
  const std::string comm =
      GENERATE(as<std::string>{}, "a b", ") R 1 1", "((", "))", " (x) ", "x\ny", "");
  const auto stat = parse_process_stat("12 (" + comm + ")" + kRest);
  REQUIRE(stat);
  CHECK(stat->comm == comm);
  CHECK(stat->start_ticks == 4242);
}

TEST_CASE("parse_process_stat refuses what isn't a stat line") {
  for (const char* text : {"", "12", "12 (x", "12 (x)", "12 (x) S 1 2", "x (y) S 1",
                           "12 (x) S 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 -5 3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_process_stat(text));
  }
}

TEST_CASE("read_process_stat knows this process, and no process with pid 0") {
  const auto stat = read_process_stat(::getpid());
  REQUIRE(stat);
  CHECK(stat->pid == ::getpid());
  CHECK(stat->parent == ::getppid());
  CHECK(stat->alive());
  CHECK_FALSE(read_process_stat(0));
}

TEST_CASE("open_process wants the right start time") {
  const Sleeper sleeper;
  const std::uint64_t start = read_process_stat(sleeper.pid())->start_ticks;
  CHECK(open_process(sleeper.pid(), start));
  CHECK_FALSE(open_process(sleeper.pid(), start + 1));
  CHECK_FALSE(open_process(sleeper.pid(), start - 1));
}

TEST_CASE("a zombie has ended") {
  const Sleeper sleeper;
  const std::uint64_t start = read_process_stat(sleeper.pid())->start_ticks;
  const UniqueFd process = open_process(sleeper.pid(), start);
  CHECK_FALSE(has_ended(process.get()));
  sleeper.become_zombie();
  REQUIRE(read_process_stat(sleeper.pid()));
  CHECK_FALSE(read_process_stat(sleeper.pid())->alive());
  CHECK(has_ended(process.get()));
  CHECK(wait_for_end(process.get(), std::chrono::milliseconds(0)));
  CHECK_FALSE(open_process(sleeper.pid(), start));
}

TEST_CASE("waiting for the end has a timeout") {
  const Sleeper sleeper;
  const UniqueFd process = open_pidfd(sleeper.pid());
  CHECK_FALSE(wait_for_end(process.get(), std::chrono::milliseconds(1)));
}

TEST_CASE("end_process ends also who ignores SIGTERM") {
  Pipe ready = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::signal(SIGTERM, SIG_IGN);
    ready.writer.reset();
    while (true) ::pause();
  }
  ready.writer.reset();
  CHECK(read_to_end(ready.reader.get()).empty());  // it ignores the signal by now
  const UniqueFd process = open_pidfd(pid);
  end_process(process.get(), std::chrono::milliseconds(10));
  CHECK(has_ended(process.get()));
  CHECK(wait_for_child(pid).signal == SIGKILL);
  CHECK_FALSE(send_signal(process.get(), SIGTERM));
}

TEST_CASE("there is no pidfd for a process that doesn't exist") {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  wait_for_child(pid);
  CHECK_FALSE(open_pidfd(pid));
}

TEST_CASE("all_processes has this one and the first") {
  const auto pids = all_processes();
  CHECK(std::find(pids.begin(), pids.end(), ::getpid()) != pids.end());
}

TEST_CASE("a process is listed with the inode of its directory, as long as it lives") {
  const auto inode_of = [](pid_t pid) {
    const auto all = list_processes();
    const auto found = std::ranges::find(all, pid, &ProcessEntry::pid);
    return found == all.end() ? 0 : found->inode;
  };
  CHECK(inode_of(::getpid()) != 0);
  CHECK(inode_of(::getpid()) == inode_of(::getpid()));
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  CHECK(inode_of(child) != 0);
  CHECK(inode_of(child) != inode_of(::getpid()));
  ::kill(child, SIGKILL);
  wait_for_child(child);
  CHECK(inode_of(child) == 0);
}

TEST_CASE("command_of is printable") {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", "echo; read x", "a b", "new\nline", "\x1b[31m"};
  command.descriptors = {{input.reader.get(), 0}, {output.writer.get(), 1}};
  const pid_t pid = spawn(command);
  char ready = 0;
  REQUIRE(::read(output.reader.get(), &ready, 1) == 1);  // execve(2) sets the command line late
  CHECK(command_of(pid) == "sh -c echo; read x a b new\\nline \\033[31m");
  input.reader.reset();
  input.writer.reset();
  wait_for_child(pid);
}

TEST_CASE("command_of falls back to the name") {
  const Sleeper sleeper;
  const std::string name = read_process_stat(sleeper.pid())->comm;
  sleeper.become_zombie();
  CHECK(command_of(sleeper.pid()) == "[" + name + "]");
}

TEST_CASE("the boot has an id") { CHECK(boot_id().size() == 36); }
