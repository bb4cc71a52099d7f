#pragma once

#include <optional>
#include <string>

#include "git/repository/repository.h"

namespace wafers::git {

/// `git commit --author=<pattern>`: name and email, as .mailmap has them, of the newest commit
/// whose author matches. Asks the git program: a walk through all of history by git's own regular
/// expressions. nullopt where no author matches.
std::optional<Identity> find_author(const Repository& repository, const std::string& pattern);

}  // namespace wafers::git
