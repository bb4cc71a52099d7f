#pragma once

#include "core/state/wafer.h"

namespace wafers {

/// Hides the base's `.git` in an upper where it isn't hidden yet. Throws Error(failed).
void hide_repository(const Wafer& wafer);

}  // namespace wafers
