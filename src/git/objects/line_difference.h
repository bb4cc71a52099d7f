#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wafers::git {

/// How many lines a file gets and loses, as `git diff --stat` counts them; none where it is binary.
struct LineCounts {
  std::size_t added = 0, removed = 0;
};

/// How many lines differ between two texts, where that needs no search: once the lines that they
/// share at the start and at the end are taken away, the rest has no line in common. Any diff
/// algorithm gives these counts then. Absent where the rest has common lines.
std::optional<LineCounts> count_without_search(std::string_view before, std::string_view after);

/// xdiff-interface.c: buffer_is_binary().
bool looks_binary(std::string_view content);

/// What can be said of two contents without a search, and without knowing the files' attributes.
struct LineDifference {
  bool before_looks_binary = false, after_looks_binary = false;
  std::optional<LineCounts> lines;
};
LineDifference line_difference(std::string_view before, std::string_view after);

}  // namespace wafers::git
