#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/parser.h"

namespace wafers::cli {

// What the git-* commands have in common.

void print_warnings(const std::vector<std::string>& warnings);

/// Throws Error(usage) where more than one of these options is set, as git does.
void check_exclusive(const Parser& parser, const std::vector<std::pair<const char*, bool>>& given);

}  // namespace wafers::cli
