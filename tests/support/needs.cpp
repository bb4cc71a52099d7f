#include "support/needs.h"

#include <cstdlib>
#include <iostream>
#include <utility>
#include <vector>

namespace wafers::test {
namespace {

constexpr int kSkipped = 77;

struct Registered {
  std::string what;
  std::function<std::optional<std::string>()> missing;
};

/// In a function, so that it is there for whichever file's objects are made first.
std::vector<Registered>& registry() {
  static std::vector<Registered> needs;
  return needs;
}

}  // namespace

Need::Need(std::string what, std::function<std::optional<std::string>()> missing) {
  registry().push_back({std::move(what), std::move(missing)});
}

std::optional<int> exit_for_unmet_needs() {
  for (const Registered& need : registry()) {
    const auto reason = need.missing();
    if (!reason) continue;
    const bool must_run = std::getenv("WAFERS_TESTS_MUST_RUN") != nullptr;
    std::cerr << (must_run ? "failed" : "skipped") << ": needs " << need.what << ": " << *reason
              << '\n';
    return must_run ? EXIT_FAILURE : kSkipped;
  }
  return std::nullopt;
}

}  // namespace wafers::test
