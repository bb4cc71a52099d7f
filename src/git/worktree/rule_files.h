#pragma once

#include <string>

#include "git/repository/repository.h"
#include "git/text/ignore.h"

namespace wafers::git {

/// The rule files that lie outside of the worktree, as text; empty where there is none. A file that
/// can't be read counts as none, as with git. The first four throw nothing.

/// core.excludesFile, else $XDG_CONFIG_HOME/git/ignore, else ~/.config/git/ignore.
std::string excludes_file(const Repository& repository);
/// The same as the user has it for all repositories.
std::string users_excludes_file();
/// /etc/gitattributes, unless GIT_ATTR_NOSYSTEM forbids that, and behind it core.attributesFile,
/// else the same places' `attributes`: the later rule is the stronger one.
std::string attributes_file(const Repository& repository);
/// `info/exclude` and `info/attributes` of the repository.
std::string info_file(const Repository& repository, const char* name);

/// core.ignoreCase.
LetterCase letter_case(const Repository& repository);

}  // namespace wafers::git
