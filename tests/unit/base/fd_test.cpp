#include "base/fd.h"

#include <fcntl.h>

#include "support/catch.h"

using wafers::UniqueFd;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
UniqueFd open_null() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

TEST_CASE("the destructor closes", "[fd]") {
  int number = -1;
  {
    const UniqueFd fd = open_null();
    number = fd.get();
    REQUIRE(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("move assignment closes what it held and leaves one owner", "[fd]") {
  UniqueFd a = open_null();
  UniqueFd b = open_null();
  const int old_a = a.get();
  const int old_b = b.get();
  a = std::move(b);
  CHECK(a.get() == old_b);
  CHECK_FALSE(is_open(old_a));
  CHECK(is_open(old_b));
  CHECK_FALSE(static_cast<bool>(b));  // NOLINT(bugprone-use-after-move): the state is specified
}

TEST_CASE("self-move keeps the descriptor open", "[fd]") {
  UniqueFd a = open_null();
  UniqueFd& same = a;
  a = std::move(same);
  CHECK(is_open(a.get()));
}

TEST_CASE("release gives ownership away", "[fd]") {
  UniqueFd a = open_null();
  const UniqueFd b(a.release());
  CHECK_FALSE(static_cast<bool>(a));
  CHECK(is_open(b.get()));
}
