#pragma once

#include "core/state/wafer.h"

namespace wafers {

/// Hides the base's `.git` in an upper where it isn't hidden yet; with git inside, by the file that
/// leads to Wafer::git_dir, whatever was there. Throws Error(failed).
void hide_repository(const Wafer& wafer);

}  // namespace wafers
