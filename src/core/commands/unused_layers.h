#pragma once

#include "core/state/store.h"

namespace wafers {

/// Takes away the layers of bases that no wafer's record names, large ones in the background. Does
/// nothing where a process is about to use one. The caller holds no lock_all(). Throws nothing:
/// what is left goes the next time.
void take_away_unused_layers(const Store& store) noexcept;

}  // namespace wafers
