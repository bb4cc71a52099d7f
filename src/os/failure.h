#pragma once

#include <string>

#include "base/error.h"

namespace wafers {

/// A failure that crosses from one process to another.
struct Failure {
  std::string doing;  ///< "cannot make a user and a mount namespace"
  int errnum = 0;     ///< 0 where it has none

  static Failure of(const Error& error);
  /// The error to throw on this side, of kind failed.
  Error error() const;
};

}  // namespace wafers
