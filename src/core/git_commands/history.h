#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/state/store.h"

namespace wafers {

/// `git log` or `git show` (`command`) of a wafer's branch by git itself, with `words`, git's own
/// options, revisions and paths from the root of the tree: where no revision is given it is the
/// branch, and HEAD means the branch as well. The wafer isn't locked. Returns the signal that ended
/// git, if one did. Throws Error(failed) where the branch is gone, or git fails.
std::optional<int> show_history(const Store& store, const std::string& name,
                                const std::string& command, const std::vector<std::string>& words);

}  // namespace wafers
