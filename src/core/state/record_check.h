#pragma once

#include <filesystem>

#include "core/state/wafer.h"

namespace wafers {

/// An agent can write its wafer's record, so what that says is a claim. Throws
/// Error(failed), with the first field that can't be what `add` or a later command wrote there for
/// a wafer of the state directory `root`: a branch that git would not make, an object name that is
/// none, a mountpoint in the state of another wafer. `wafer.name` is known to be its directory's.
void require_believable(const Wafer& wafer, const std::filesystem::path& root);

}  // namespace wafers
