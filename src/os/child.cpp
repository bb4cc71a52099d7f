#include "os/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "os/files.h"
#include "os/process.h"
#include "os/spawn.h"

namespace wafers {
namespace {

Failure failure_of(const std::exception& exception) {
  const auto* error = dynamic_cast<const Error*>(&exception);
  return error != nullptr ? Failure::of(*error) : Failure{exception.what(), 0};
}

constexpr std::string_view kDone = "done";

/// What goes through the pipe: kDone, or else errno, a blank and what was being done.
std::string report_of(const std::function<void()>& work) {
  try {
    work();
    return std::string(kDone);
  } catch (const std::exception& exception) {
    const Failure failure = failure_of(exception);
    return std::to_string(failure.errnum) + " " + failure.doing;
  }
}

/// Where that fails, the parent finds the end of the pipe.
void tell(const std::string& report, int pipe) {
  if (::write(pipe, report.data(), report.size()) < 0) ::_exit(1);
}

[[noreturn]] void run_and_leave(const std::function<void()>& work, int pipe) noexcept {
  tell(report_of(work), pipe);
  ::_exit(0);
}

/// In a child of the child, so that there is nothing to wait for. What failed is waited for by the
/// child: whoever then looks at processes doesn't find it any more.
[[noreturn]] void run_and_linger(const std::function<void()>& work, int pipe) noexcept {
  std::array<int, 2> done{-1, -1};
  const bool has_pipe = ::pipe2(done.data(), O_CLOEXEC) == 0;
  const pid_t pid = ::fork();
  if (pid < 0) tell(report_of([err = errno] { throw Error::system(err, "cannot fork"); }), pipe);
  if (pid != 0) {
    char byte = 0;
    if (has_pipe) ::close(done[1]);
    if (pid > 0 && has_pipe && ::read(done[0], &byte, 1) == 0) ::waitpid(pid, nullptr, 0);
    ::_exit(0);
  }
  const std::string report = report_of(work);
  leave_session_and_streams();
  tell(report, pipe);
  if (report == kDone) {
    std::ignore = ::write(done[1], "", 1);
    keep_open_only({});
  }
  ::_exit(0);
}

/// In a process that keeps nothing but the pipe.
[[noreturn]] void answer_alone(const std::function<std::string()>& work, int pipe) noexcept {
  const int kept = ::fcntl(pipe, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  leave_session_and_streams();
  keep_open_only({kept});
  if (::chdir("/") != 0) ::_exit(1);
  std::string answer;
  const std::string report = report_of([&] { answer = work(); });
  try {
    write_all(kept, report == kDone ? report + answer : report);
  } catch (const std::exception&) {
    ::_exit(1);  // the parent finds the end of the pipe
  }
  ::_exit(0);
}

/// Up to end of file; absent where that doesn't come in time.
std::optional<std::string> read_while(int fd, const std::function<bool()>& keep_waiting) {
  constexpr int kPause = 100;  // milliseconds
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&entry, 1, kPause);
    if (ready == 0 && !keep_waiting()) return std::nullopt;
    if (ready <= 0) continue;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// Waits for no child that SIGKILL doesn't end: init will.
void give_up(pid_t pid) {
  constexpr std::chrono::milliseconds kEnding{200};
  ::kill(pid, SIGKILL);
  const UniqueFd process = open_pidfd(pid);
  if (wait_for_end(process.get(), kEnding)) wait_for_child(pid);
}

/// `why_silent`: what became of a child that reports nothing.
std::optional<Failure> parse_report(const std::string& text, const std::string& why_silent) {
  if (text == kDone) return std::nullopt;
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) return Failure{"a child process " + why_silent, 0};
  Failure failure{text.substr(blank + 1), 0};
  std::from_chars(text.data(), text.data() + blank, failure.errnum);
  return failure;
}

/// A forked child and the pipe that it reports through.
struct Child {
  pid_t pid = -1;
  UniqueFd report;
};

template <typename Run>
Child start_child(const Run& run_and_end) {
  Pipe pipe = make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno("cannot fork");
  if (pid == 0) run_and_end(pipe.writer.get());
  return {pid, std::move(pipe.reader)};
}

}  // namespace

std::optional<Failure> run_in_child(const std::function<void()>& work) {
  const Child child = start_child([&](int pipe) { run_and_leave(work, pipe); });
  const std::string report = read_to_end(child.report.get());
  const ExitStatus status = wait_for_child(child.pid);
  return parse_report(report, "was ended by signal " + std::to_string(status.signal));
}

std::optional<Failure> run_in_lingering_child(const std::function<void()>& work) {
  const Child child = start_child([&](int pipe) { run_and_linger(work, pipe); });
  wait_for_child(child.pid);
  return parse_report(read_to_end(child.report.get()), "ended before its work was done");
}

std::optional<std::string> ask_child(const std::function<std::string()>& work,
                                     const std::function<bool()>& keep_waiting) {
  const Child child = start_child([&](int pipe) { answer_alone(work, pipe); });
  const auto report = read_while(child.report.get(), keep_waiting);
  if (!report) {
    give_up(child.pid);
    return std::nullopt;
  }
  const ExitStatus status = wait_for_child(child.pid);
  if (report->starts_with(kDone)) return report->substr(kDone.size());
  throw parse_report(*report, "was ended by signal " + std::to_string(status.signal))
      .value()
      .error();
}

void leave_session_and_streams() {
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.get(), stream);
  }
}

void keep_open_only(std::vector<int> kept) noexcept {
  std::ranges::sort(kept);
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto next = static_cast<unsigned>(fd);
    if (next > first) ::close_range(first, next - 1, 0);
    first = std::max(first, next + 1);
  }
  ::close_range(first, ~0U, 0);
}

}  // namespace wafers
