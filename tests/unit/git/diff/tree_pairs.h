#pragma once

#include <string>

#include "support/git_repo.h"

namespace wafers::test {

// Two trees of a repository, given by their names, as wafers and git compare them.

/// Each path with its letter, in the form of `git diff --name-status` without percentages.
std::string names(const GitRepo& git, const std::string& before, const std::string& after);
std::string names_by_git(const GitRepo& git, const std::string& before, const std::string& after);

/// The line of `git diff --shortstat` with renames found.
std::string counts(const GitRepo& git, const std::string& before, const std::string& after);
std::string counts_by_git(const GitRepo& git, const std::string& before, const std::string& after);

}  // namespace wafers::test
