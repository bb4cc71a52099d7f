#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace wafers {
namespace {

std::string hint_for_limit(int errnum) {
  switch (errnum) {
    case EMFILE:
      return "this process may not open more files: raise the limit with 'ulimit -n'";
    case ENFILE:
      return "the host has no more open files to give: see 'sysctl fs.file-max'";
    case EAGAIN:
      return "there may be no more processes: raise the limit ('ulimit -u', pids.max of the "
             "container or service), or end some";
    case ENOMEM:
      return "there is no more memory for this process: see 'ulimit -v' and the memory limit of "
             "the container or service";
    case EFBIG:
      return "files may not grow so large here: raise the limit with 'ulimit -f'";
    default:
      return {};
  }
}

}  // namespace

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

Error Error::system(int errnum, std::string_view doing, std::string hint, ErrorKind kind) {
  if (hint.empty()) hint = hint_for_limit(errnum);
  Error error(kind, std::string(doing) + ": " + describe_errno(errnum), std::move(hint));
  error.errnum_ = errnum;
  return error;
}

bool Error::is_shortage() const noexcept {
  return errnum_ == EMFILE || errnum_ == ENFILE || errnum_ == EAGAIN || errnum_ == ENOMEM;
}

void throw_errno(const char* doing) {
  const int err = errno;
  throw Error::system(err, doing);
}

void throw_errno(const char* doing, std::string_view name) {
  const int err = errno;
  throw Error::system(err, std::string(doing) + " " + in_quotes(name));
}

std::string describe_errno(int errnum) {
  const char* text = strerrordesc_np(errnum);
  const char* name = strerrorname_np(errnum);
  const std::string number = std::to_string(errnum);
  return (text != nullptr ? std::string(text) : "Unknown error " + number) + " (" +
         (name != nullptr ? std::string(name) : number) + ")";
}

}  // namespace wafers
