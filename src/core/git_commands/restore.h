#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/state/wafer.h"

namespace wafers {

// `git restore`. The caller holds the wafer's lock and has flushed the view. `paths` are files and
// directories from the wafer's root. Both throw Error(usage) for paths that clean_paths() refuses,
// and where one matches nothing.

/// What the mounted view has at `paths` becomes what is staged, written by git itself in the view:
/// deleted files come back, untracked ones stay. Costs what differs. Throws
/// Error(failed) where git fails, which has told why on stderr.
void restore_view(const Wafer& wafer, const std::vector<std::string>& paths);

/// What is staged at `paths` becomes what the tip has; the view stays. `save` is called to write
/// that down.
void restore_staged(Wafer& wafer, const std::vector<std::string>& paths,
                    const std::function<void()>& save);

}  // namespace wafers
