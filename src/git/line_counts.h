#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "git/diff_session.h"

namespace wafers::git {

/// How many lines differ between two texts, where that needs no search: once the lines that they
/// share at the start and at the end are taken away, the rest has no line in common. Any diff
/// algorithm gives these counts then. Absent where the rest has common lines.
std::optional<LineCounts> count_without_search(std::string_view before, std::string_view after);

/// How many lines each delta of the session adds and removes, in its order: what count_lines()
/// says of each, but on all cores, and without a search where none is needed. Throws Error(failed).
std::vector<LineCounts> count_all_lines(DiffSession& session);

}  // namespace wafers::git
