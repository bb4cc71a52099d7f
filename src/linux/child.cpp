#include "linux/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "linux/files.h"
#include "linux/orphans.h"
#include "linux/spawn.h"

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

/// In a child of the child, so that nobody has to wait for it.
[[noreturn]] void run_and_linger(const std::function<void()>& work, int pipe) noexcept {
  const pid_t pid = ::fork();
  if (pid < 0) tell(report_of([err = errno] { throw Error::system(err, "cannot fork"); }), pipe);
  if (pid != 0) ::_exit(0);
  const std::string report = report_of(work);
  leave_session_and_streams();
  tell(report, pipe);
  // Nothing is to be kept of what failed. The pipe ends with the process: it is in nobody's way.
  if (report == kDone) ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::_exit(0);
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
  if (pid < 0) {
    const int err = errno;
    throw Error::system(err, "cannot fork");
  }
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
  if (!orphans_are_reaped()) return run_in_child(work);
  const Child child = start_child([&](int pipe) { run_and_linger(work, pipe); });
  wait_for_child(child.pid);
  return parse_report(read_to_end(child.report.get()), "ended before its work was done");
}

void leave_session_and_streams() {
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.get(), stream);
  }
}

}  // namespace wafers
