#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace wafers {

/// What kind of failure it is; decides the exit status and the `kind` in JSON.
enum class ErrorKind {
  failed,       ///< exit 1
  usage,        ///< exit 2: the command line was wrong
  refused,      ///< exit 3: going on could lose work
  busy,         ///< exit 4: processes or another command are in the way
  unsupported,  ///< exit 5: this host or repository can't
};

/// The one error type. `what()` is a whole sentence without full stop that says what was being done
/// and on what: "cannot mount view of 'a1' on /tmp/a1: Operation not permitted (EPERM)". The hint
/// says what to do about it, and may be empty. Absence of a thing is a value, never an Error.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  /// An error of the system: `doing` plus the text and name of `errnum`. Take errno before anything
  /// else runs (or see throw_errno()). Without a hint, a limit that was reached (ulimit) is named
  /// as one.
  static Error system(int errnum, std::string_view doing, std::string hint = {},
                      ErrorKind kind = ErrorKind::failed);

  ErrorKind kind() const noexcept { return kind_; }
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }
  /// The errno behind it, where there is one.
  std::optional<int> errnum() const noexcept { return errnum_; }
  /// Whether this process has run out of something that it may have again: descriptors, processes,
  /// memory. It tells nothing of the host.
  bool is_shortage() const noexcept;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::optional<int> errnum_;
};

/// Throws Error::system() with the errno of the call that has just failed: "cannot fork: ...", or
/// "cannot open 'name': ...". What stands in the arguments must not touch errno: no text is put
/// together there.
[[noreturn]] void throw_errno(const char* doing);
[[noreturn]] void throw_errno(const char* doing, std::string_view name);

/// "Operation not permitted (EPERM)"; numbers without a name give "Unknown error 4242 (4242)".
std::string describe_errno(int errnum);

}  // namespace wafers
