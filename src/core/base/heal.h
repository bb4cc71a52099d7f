#pragma once

#include "core/state/store.h"

namespace wafers {

/// A PrepareLayers: where the wafer's base is live and has moved, makes its layers show the base
/// commit again, which costs what the commits differ by, saves that in its record, and tells
/// of it. Throws Error(failed) where the repository is gone or the difference can't be written:
/// the record is as it was.
void heal(LockedWafer& wafer);

}  // namespace wafers
