#include "os/failure.h"

namespace wafers {

Failure Failure::of(const Error& error) {
  Failure failure{error.message(), error.errnum().value_or(0)};
  // Error::system() has put the errno's text behind what was being done; error() will again.
  const std::string tail = ": " + describe_errno(failure.errnum);
  if (failure.errnum != 0 && failure.doing.ends_with(tail)) {
    failure.doing.resize(failure.doing.size() - tail.size());
  }
  return failure;
}

Error Failure::error() const {
  return errnum != 0 ? Error::system(errnum, doing) : Error(ErrorKind::failed, doing);
}

}  // namespace wafers
