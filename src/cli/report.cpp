#include "cli/report.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/progress.h"

namespace wafers::cli {
namespace {

int exit_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::refused:
      return 3;
    case ErrorKind::busy:
      return 4;
    case ErrorKind::unsupported:
      return Report::kUnsupported;
  }
  return 1;
}

// As env(1), nohup(1) and others that run a command.
constexpr int kEnterFailed = 125;
constexpr int kCommandNotRun = 126;
constexpr int kCommandNotFound = 127;

void to_stderr(const std::string& label, std::string_view text) {
  clear_progress();
  std::string line = label;
  line += printable_lines(text);  // the last guard, for commands in hints above all
  line += '\n';
  // At once, so that lines of several processes don't mix. There is no one left to tell of a
  // failure.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Error cannot_write(int err) { return Error::system(err, "cannot write to standard output"); }

std::string label(std::string_view text, Colour colour) {
  return in_colour(text, colour, shows_colour(STDERR_FILENO)) + " ";
}

void print_error(const Error& error) {
  to_stderr(label("wafers:", Colour::red), error.message());
  if (!error.hint().empty()) Report::hint(error.hint());
}

}  // namespace

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return "failed";
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::busy:
      return "busy";
    case ErrorKind::unsupported:
      return "unsupported";
  }
  return "failed";
}

void Report::be_quiet() noexcept {
  quiet_ = true;
  show_no_progress();
}

void Report::data(std::string_view text) {
  clear_progress();
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  remember_output_error(errno);
  throw cannot_write(output_error_);
}

void Report::remember_output_error(int err) noexcept {
  if (output_error_ == 0) output_error_ = err;
}

void Report::document(const nlohmann::json& document) {
  using nlohmann::json;
  line(printable_json(
      document.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace)));
}

void Report::note(std::string_view text) { to_stderr("wafers: ", text); }
void Report::warning(std::string_view text) {
  to_stderr(label("wafers: warning:", Colour::yellow), text);
}
void Report::hint(std::string_view text) { to_stderr(label("hint:", Colour::cyan), text); }

int Report::failure(const Error& error) {
  // Of stdout it is finish() that tells; no document could be written there either.
  if (output_error_ != 0) return status_of(error);
  if (form_ == OutputForm::text) return partial_failure(error);
  try {
    document({{"error", to_json(error)}});
  } catch (const Error&) {
    return partial_failure(error);
  }
  return status_of(error);
}

nlohmann::json Report::to_json(const Error& error) {
  return {{"kind", to_string(error.kind())}, {"message", error.message()}, {"hint", error.hint()}};
}

int Report::status_of(const Error& error) { return exit_status(error.kind()); }

int Report::partial_failure(const Error& error) {
  print_error(error);
  return status_of(error);
}

int Report::enter_failure(const Error& error) {
  print_error(error);
  return kEnterFailed;
}

int Report::command_failure(const Error& error) {
  print_error(error);
  return error.errnum() == ENOENT ? kCommandNotFound : kCommandNotRun;
}

void Report::die_of(int signal) {
  clear_progress();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::abort();
}

int Report::finish(int status) {
  clear_progress();
  if (std::fflush(stdout) != 0) remember_output_error(errno);
  if (output_error_ == 0) return status;
  if (output_error_ == EPIPE) die_of(SIGPIPE);
  print_error(cannot_write(output_error_));
  return status == kDone ? exit_status(ErrorKind::failed) : status;
}

bool shows_colour(int stream) { return ::isatty(stream) == 1 && !no_colour_wanted(); }

std::string in_colour(std::string_view text, Colour colour, bool wanted) {
  if (!wanted || text.empty()) return std::string(text);
  return "\x1B[" + std::to_string(static_cast<int>(colour)) + "m" + std::string(text) + "\x1B[m";
}

bool no_colour_wanted() {
  const char* const no_color = std::getenv("NO_COLOR");
  return no_color != nullptr && *no_color != '\0';
}

}  // namespace wafers::cli
