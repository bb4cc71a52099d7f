#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wafers::cli {

enum class OutputForm { text, json };

/// The only printer, and the only place that knows exit statuses. Data goes to stdout, everything
/// else to stderr. What is printed through it must be printable already where it isn't data.
class Report {
 public:
  explicit Report(OutputForm form) : form_(form) {}

  OutputForm form() const noexcept { return form_; }
  void use(OutputForm form) noexcept { form_ = form; }

  /// Data for stdout, as it is. Throws Error(failed) where stdout takes no more.
  void data(std::string_view text);
  /// What was done, as one line on stdout: left out where the caller wants no more than errors
  /// and answers (`wafers -q`).
  void feedback(const std::string& text) {
    if (!quiet_) line(text);
  }
  void be_quiet() noexcept;
  /// Data for stdout, as one line.
  void line(const std::string& text) { data(text + "\n"); }
  /// The one JSON document of this run.
  void document(const nlohmann::json& document);

  /// "wafers: <text>" on stderr.
  static void note(std::string_view text);
  /// "wafers: warning: <text>" on stderr.
  static void warning(std::string_view text);
  /// "hint: <text>" on stderr.
  static void hint(std::string_view text);

  /// A failure, with its hint: on stderr, or as JSON document. Returns its exit status.
  int failure(const Error& error);
  /// One failure among several: on stderr in either form. Returns its exit status.
  static int partial_failure(const Error& error);
  /// A failure as the contract's JSON object {"kind", "message", "hint"}.
  static nlohmann::json to_json(const Error& error);
  static int status_of(const Error& error);

  /// What `exec` and `shell` fail with, so that the command's own exit statuses can be told apart.
  static int enter_failure(const Error& error);
  /// `enter_failure`, where it was the command that could not be run.
  static int command_failure(const Error& error);

  /// Nothing that was begun is left: dies of the signal that was the reason. Does not return.
  [[noreturn]] static void die_of(int signal);

  static constexpr int kDone = 0;
  static constexpr int kUsage = 2;
  static constexpr int kUnsupported = 5;

  /// Makes sure that all data has been written. Returns `status`, or that of a failure. Where the
  /// reader of stdout went away (`wafers git-diff a1 | head`), dies of SIGPIPE, as git does.
  int finish(int status);

 private:
  void remember_output_error(int err) noexcept;

  OutputForm form_;
  bool quiet_ = false;
  int output_error_ = 0;  ///< of the first failure to write to stdout
};

/// "failed", "usage", "refused", "busy" or "unsupported".
std::string_view to_string(ErrorKind kind);

/// NO_COLOR is set and not empty (no-color.org).
bool no_colour_wanted();

/// Whether `stream` (STDOUT_FILENO, STDERR_FILENO) is a terminal that may show colours.
bool shows_colour(int stream);

/// `text` in a colour where that is `wanted`.
enum class Colour { red = 31, green = 32, yellow = 33, cyan = 36 };
std::string in_colour(std::string_view text, Colour colour, bool wanted);

}  // namespace wafers::cli
