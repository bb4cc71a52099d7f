#pragma once

#include <string_view>

namespace wafers::git {

/// Whether `git branch` would make a branch of this name. Needs no libgit2.
bool is_valid_branch_name(std::string_view branch);

}  // namespace wafers::git
