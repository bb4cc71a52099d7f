#include "linux/child.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <string>

#include "base/error.h"
#include "linux/files.h"
#include "linux/spawn.h"

namespace wafers {
namespace {

Failure failure_of(const std::exception& exception) {
  const auto* error = dynamic_cast<const Error*>(&exception);
  return error != nullptr ? Failure::of(*error) : Failure{exception.what(), 0};
}

/// What goes through the pipe: nothing on success, else errno, a blank and what was being done.
std::string report_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const std::exception& exception) {
    const Failure failure = failure_of(exception);
    return std::to_string(failure.errnum) + " " + failure.doing;
  }
}

[[noreturn]] void run_and_leave(const std::function<void()>& work, int report) noexcept {
  const std::string text = report_of(work);
  const bool told = ::write(report, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::_exit(told && text.empty() ? 0 : 1);
}

Failure parse_report(const std::string& text, const ExitStatus& status) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) {
    return {"a child process was ended by signal " + std::to_string(status.signal), 0};
  }
  Failure failure{text.substr(blank + 1), 0};
  std::from_chars(text.data(), text.data() + blank, failure.errnum);
  return failure;
}

}  // namespace

std::optional<Failure> run_in_child(const std::function<void()>& work) {
  Pipe pipe = make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int err = errno;
    throw Error::system(err, "cannot fork");
  }
  if (pid == 0) run_and_leave(work, pipe.writer.get());
  pipe.writer.reset();
  const std::string text = read_to_end(pipe.reader.get());
  const ExitStatus status = wait_for_child(pid);
  if (status.success()) return std::nullopt;
  return parse_report(text, status);
}

}  // namespace wafers
