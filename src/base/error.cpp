#include "base/error.h"

#include <cstring>
#include <utility>

namespace wafers {

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

Error Error::system(int errnum, std::string_view doing, std::string hint, ErrorKind kind) {
  Error error(kind, std::string(doing) + ": " + describe_errno(errnum), std::move(hint));
  error.errnum_ = errnum;
  return error;
}

std::string describe_errno(int errnum) {
  const char* text = strerrordesc_np(errnum);
  const char* name = strerrorname_np(errnum);
  const std::string number = std::to_string(errnum);
  return (text != nullptr ? std::string(text) : "Unknown error " + number) + " (" +
         (name != nullptr ? std::string(name) : number) + ")";
}

}  // namespace wafers
