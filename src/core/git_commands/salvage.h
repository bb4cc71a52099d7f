#pragma once

#include <optional>
#include <string>

#include "core/state/wafer.h"

namespace wafers {

/// Work that a removed wafer leaves in its base repository.
struct Salvage {
  std::string ref;      ///< refs/wafers/removed/<name>/<UTC time>
  std::string restore;  ///< a command for a shell that makes a branch of it
};

/// Keeps what a removal by force would lose as a commit on top of the tip, under a ref of its own:
/// what `git add -A` would take from the view. Where something else is staged its second parent
/// has that, as with `git stash`. The tip alone is kept where no ref leads to it any more. nullopt
/// where nothing would be lost, as where the upper is gone or holds nothing. The caller holds the
/// wafer's lock; the view is unmounted or flushed. Throws Error(refused) where some of it can't be
/// kept, with the way out as hint: no commit can have it, or the repository is gone or takes
/// nothing.
std::optional<Salvage> salvage(const Wafer& wafer);

}  // namespace wafers
