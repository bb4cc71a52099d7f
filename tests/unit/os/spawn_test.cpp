#include "os/spawn.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "os/files.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;
using Catch::Matchers::Contains;

namespace {

CommandResult shell(const std::string& script, Command command = {}) {
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", script};
  return run_command(std::move(command));
}

}  // namespace

TEST_CASE("run_command gives status and output") {
  CHECK(shell("echo out; echo err >&2").output == "out\nerr\n");
  CHECK(shell("exit 3").status.code == 3);
  CHECK_FALSE(shell("exit 3").status.success());
  const ExitStatus killed = shell("kill -9 $$").status;
  CHECK(killed.signal == SIGKILL);
  CHECK_FALSE(killed.success());
}

TEST_CASE("a program that isn't there is an error with its name") {
  Command command;
  command.path = "/nonexistent/program";
  command.argv = {"program"};
  CHECK_THROWS_WITH(spawn(command), Contains("'/nonexistent/program'") && Contains("ENOENT"));
}

TEST_CASE("a spawned program has the descriptors that it was given and no others") {
  constexpr int kUnused = 17;
  const UniqueFd inherited(::dup2(STDIN_FILENO, kUnused));  // without close-on-exec
  REQUIRE(inherited);
  Pipe pipe = make_pipe();
  Command command;
  command.descriptors = {{pipe.reader.get(), 3}};
  const std::string script = "for fd in 0 1 2 3 17; do [ -e /proc/$$/fd/$fd ] && echo $fd; done";
  CHECK(shell(script, command).output == "0\n1\n2\n3\n");
}

TEST_CASE("descriptors may swap their numbers") {
  const UniqueFd one = make_memory_file("one");
  const UniqueFd two = make_memory_file("two");
  REQUIRE(one.get() < 60);
  Command command;
  command.descriptors = {{one.get(), two.get()}, {two.get(), one.get()}};
  const std::string script =
      "cat <&" + std::to_string(one.get()) + "; cat <&" + std::to_string(two.get());
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", script};
  CHECK(run_command(command).output == "twoone");
}

TEST_CASE("standard streams that aren't given are /dev/null") {
  CHECK(shell("readlink /proc/$$/fd/0").output == "/dev/null\n");
}

TEST_CASE("a spawned program has default signals, whatever ours are") {
  struct sigaction old {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::sigaction(SIGHUP, &ignore, &old);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const std::string status = shell("exec grep -E 'SigBlk|SigIgn' /proc/self/status").output;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGHUP, &old, nullptr);
  CHECK_THAT(status, Contains("SigBlk:\t0000000000000000"));
  const std::string ignored = status.substr(status.find("SigIgn:\t") + 8, 16);
  CHECK((std::stoull(ignored, nullptr, 16) & 1U) == 0);  // SIGHUP
}

TEST_CASE("a spawned program starts in its directory, with its environment") {
  const test::TempDir directory("odd \n name");
  Command command;
  command.directory = directory.path();
  command.environment = {"A=b"};
  CHECK(shell("pwd -P; echo $A$HOME", command).output == directory.path().native() + "\nb\n");
}

TEST_CASE("run_command doesn't wait for a daemon that keeps its output open") {
  Pipe pipe = make_pipe();
  Command command;
  command.descriptors = {{pipe.reader.get(), 3}};
  // `cat` lives until the pipe ends, which is after run_command() has returned.
  CHECK(shell("cat <&3 & echo started", command).output == "started\n");
}

TEST_CASE("a program that inherits all has our descriptors and signals, but for SIGPIPE") {
  constexpr int kOther = 17;
  const UniqueFd inherited(::dup2(STDIN_FILENO, kOther));  // without close-on-exec
  REQUIRE(inherited);
  struct sigaction ignore {};
  struct sigaction old_hangup {};
  struct sigaction old_pipe {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &old_hangup);
  ::sigaction(SIGPIPE, &ignore, &old_pipe);
  Command command;
  command.inherits = Command::Inherits::all;
  const std::string told =
      shell("[ -e /proc/$$/fd/17 ] && echo open; grep SigIgn /proc/$$/status", command).output;
  ::sigaction(SIGPIPE, &old_pipe, nullptr);
  ::sigaction(SIGHUP, &old_hangup, nullptr);
  CHECK_THAT(told, Contains("open\n"));
  const unsigned long long ignored =
      std::stoull(told.substr(told.find("SigIgn:\t") + 8, 16), nullptr, 16);
  CHECK((ignored >> (SIGHUP - 1) & 1U) == 1);
  CHECK((ignored >> (SIGPIPE - 1) & 1U) == 0);
}

TEST_CASE("run_program gives a program its input and tells its streams apart") {
  const std::string input(1 << 20, 'x');
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", "cat; echo complaint >&2; exit 3"};
  const ProgramResult result = run_program(command, input);
  CHECK(result.output == input);
  CHECK(result.errors == "complaint\n");
  CHECK(result.status == 3);
  command.argv.back() = "kill -TERM $$";
  CHECK(run_program(command, "").status == 128 + SIGTERM);
}

TEST_CASE("something is done while a program runs, and it is waited for whatever that throws") {
  const test::TempDir temp;
  const std::string fifo = temp / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", "cat " + fifo + "; : > " + (temp / "ended").native()};
  const auto feed = [&] { write_all(open_or_throw(fifo, O_WRONLY).get(), "fed"); };
  CHECK(run_program(command, "", feed).output == "fed");
  std::filesystem::remove(temp / "ended");
  CHECK_THROWS_AS(run_program(command, "",
                              [&] {
                                feed();
                                throw Error(ErrorKind::failed, "something");
                              }),
                  Error);
  CHECK(std::filesystem::exists(temp / "ended"));
}

TEST_CASE("assignments take the place of those of the same names") {
  using Environment = std::vector<std::string>;
  CHECK(with_variables({"A=1", "AB=2", "C=3"}, {"A=4", "D="}) ==
        Environment{"AB=2", "C=3", "A=4", "D="});
}
