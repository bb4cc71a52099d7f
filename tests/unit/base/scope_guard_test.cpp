#include "base/scope_guard.h"

#include "support/catch.h"

TEST_CASE("a guard runs once at the end of its scope", "[scope_guard]") {
  int runs = 0;
  {
    const wafers::ScopeGuard guard([&] { ++runs; });
    CHECK(runs == 0);
  }
  CHECK(runs == 1);
}

TEST_CASE("a dismissed guard does not run", "[scope_guard]") {
  int runs = 0;
  {
    wafers::ScopeGuard guard([&] { ++runs; });
    guard.dismiss();
  }
  CHECK(runs == 0);
}
