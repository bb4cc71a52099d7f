#include "os/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "os/failure.h"
#include "os/files.h"
#include "support/catch.h"

using namespace wafers;
using Catch::Matchers::Contains;

TEST_CASE("work in a child changes nothing here") {
  int value = 1;
  CHECK_FALSE(run_in_child([&] { value = 2; }));
  CHECK(value == 1);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // and it was waited for
}

TEST_CASE("an error comes back from the child as it was") {
  const auto failure = run_in_child([] { throw Error::system(EACCES, "cannot open 'a b: c'"); });
  REQUIRE(failure);
  CHECK(failure->doing == "cannot open 'a b: c'");
  CHECK(failure->errnum == EACCES);
  CHECK(failure->error().message() == "cannot open 'a b: c': Permission denied (EACCES)");
  CHECK(failure->error().errnum() == EACCES);
}

TEST_CASE("an error without errno, and any other exception") {
  const auto failure = run_in_child([] { throw Error(ErrorKind::failed, "no errno: 5 (EIO)"); });
  REQUIRE(failure);
  CHECK(failure->error().message() == "no errno: 5 (EIO)");
  CHECK_FALSE(failure->error().errnum());
  CHECK(run_in_child([] { throw std::runtime_error("other"); })->doing == "other");
}

TEST_CASE("a child that is killed is a failure") {
  const auto failure = run_in_child([] { ::raise(SIGKILL); });
  REQUIRE(failure);
  CHECK_THAT(failure->doing, Contains("signal 9"));
}

TEST_CASE("a child that leaves without a word is a failure") {
  CHECK(run_in_child([] { ::_exit(5); }));
}

TEST_CASE("a lingering child is nobody's") {
  int value = 1;
  CHECK_FALSE(run_in_lingering_child([&] { value = 2; }));
  CHECK(value == 1);
  const auto failure = run_in_lingering_child([] { throw Error::system(EBUSY, "cannot unmount"); });
  REQUIRE(failure);
  CHECK(failure->doing == "cannot unmount");
  CHECK(failure->errnum == EBUSY);
  CHECK(run_in_lingering_child([] { ::_exit(0); }));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a child that is asked answers, or its error is thrown") {
  const auto patient = [] { return true; };
  const std::string longer_than_a_pipe(1 << 20, 'x');
  CHECK(ask_child([&] { return longer_than_a_pipe; }, patient) == longer_than_a_pipe);
  CHECK(ask_child([] { return std::string(); }, patient) == "");
  try {
    ask_child([]() -> std::string { throw Error::system(ENOTCONN, "cannot look"); }, patient);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errnum() == ENOTCONN);
  }
  CHECK_THROWS_WITH(ask_child([] { return ::raise(SIGKILL), std::string(); }, patient),
                    Contains("signal 9"));
  CHECK_THROWS_AS(ask_child([]() -> std::string { ::_exit(0); }, patient), Error);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a child that is asked for too long is given up") {
  int looks = 0;
  const auto answer = ask_child(
      [] {
        while (true) ::pause();
        return std::string();
      },
      [&] { return ++looks < 3; });
  CHECK_FALSE(answer);
  CHECK(looks == 3);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a child that is asked has nothing of ours open, and no directory of ours") {
  const Pipe pipe = make_pipe();
  const auto answer = ask_child(
      [&] {
        std::string kept;
        for (int fd = 0; fd < 1024; ++fd) {
          if (::fcntl(fd, F_GETFD) >= 0) kept += path_of_fd(fd) + "\n";
        }
        const bool streams = std::filesystem::read_symlink(path_of_fd(1)) == "/dev/null";
        const bool own = ::getsid(0) == ::getpid() && std::filesystem::current_path() == "/";
        const auto count = std::count(kept.begin(), kept.end(), '\n');
        return std::to_string(count) + (streams && own ? " own" : " ours");
      },
      [] { return true; });
  CHECK(answer == "4 own");  // the streams and the pipe that it answers through
}

TEST_CASE("leaving session and streams") {
  Pipe pipe = make_pipe();
  CHECK_FALSE(run_in_child([&] {
    ::dup2(pipe.writer.get(), STDOUT_FILENO);
    leave_session_and_streams();
    if (::getsid(0) != ::getpid()) throw Error(ErrorKind::failed, "still in the session");
    write_all(STDOUT_FILENO, "told");
  }));
  pipe.writer.reset();
  CHECK(read_to_end(pipe.reader.get()).empty());
}

TEST_CASE("a child keeps open what it is told") {
  std::array<UniqueFd, 6> fds;
  for (UniqueFd& fd : fds) fd = open_file("/dev/null", O_RDONLY);
  const pid_t child = ::fork();
  if (child == 0) {
    keep_open_only({fds[4].get(), fds[1].get()});
    const auto open = std::ranges::count_if(
        fds, [](const UniqueFd& fd) { return ::fcntl(fd.get(), F_GETFD) != -1; });
    const bool right = ::fcntl(fds[1].get(), F_GETFD) != -1 && ::fcntl(fds[4].get(), F_GETFD) != -1;
    ::_exit(right ? static_cast<int>(open) : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 2);
}

TEST_CASE("Failure takes the errno's text off, and only there") {
  CHECK(Failure::of(Error::system(EIO, "cannot read")).doing == "cannot read");
  CHECK(Failure::of(Error(ErrorKind::failed, "cannot read")).doing == "cannot read");
  CHECK(Failure::of(Error(ErrorKind::failed, "")).doing.empty());
}
