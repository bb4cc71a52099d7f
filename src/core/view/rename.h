#pragma once

#include <string>

#include "core/state/store.h"

namespace wafers {

/// Gives a wafer another name: its view is unmounted, and its default mountpoint is in another
/// place then. The branch keeps its own name. Throws Error(usage) for what can't be a name,
/// Error(busy) where processes are inside, Error(failed) where the name is taken; nothing but the
/// mount has changed then. Returns the wafer as it is now.
Wafer rename_wafer(const Store& store, const std::string& name, const std::string& new_name);

}  // namespace wafers
