#pragma once

#include <functional>
#include <optional>
#include <string>

namespace wafers::test {

/// Registers, as an object at namespace scope, something that a suite can't run without. `missing`
/// tells why the host lacks it, or nothing where it has it. The suite's main() asks before the
/// first case: it then prints the reason and exits with 77, which CTest shows as skipped, or with 1
/// where WAFERS_TESTS_MUST_RUN is set: there a skip is a failure.
class Need {
 public:
  Need(std::string what, std::function<std::optional<std::string>()> missing);
};

/// What main() does about it: the exit status, where the suite must not run.
std::optional<int> exit_for_unmet_needs();

}  // namespace wafers::test
