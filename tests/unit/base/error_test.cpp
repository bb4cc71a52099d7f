#include "base/error.h"

#include <cerrno>

#include "support/catch.h"

using wafers::Error;
using wafers::ErrorKind;

TEST_CASE("a system error names its errno in words and by name", "[error]") {
  const Error error = Error::system(EPERM, "cannot mount view of 'a1'", "run wafers doctor");
  CHECK(std::string(error.what()) == "cannot mount view of 'a1': Operation not permitted (EPERM)");
  CHECK(error.hint() == "run wafers doctor");
  CHECK(error.kind() == ErrorKind::failed);
  CHECK(error.errnum() == EPERM);
}

TEST_CASE("an error of our own carries no errno", "[error]") {
  const Error error(ErrorKind::refused, "the base is not clean");
  CHECK_FALSE(error.errnum());
  CHECK(error.kind() == ErrorKind::refused);
}

TEST_CASE("an unknown errno is given as a number", "[error]") {
  CHECK(wafers::describe_errno(4242) == "Unknown error 4242 (4242)");
}
