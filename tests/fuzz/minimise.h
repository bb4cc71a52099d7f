#pragma once

#include <functional>

#include "scenario.h"

namespace wafers::fuzz {

/// Leaves out rounds, operations and repository features as long as `fails` says that what is left
/// still fails. Asks at most `budget` times.
Scenario minimise(Scenario scenario, const std::function<bool(const Scenario&)>& fails, int budget);

}  // namespace wafers::fuzz
