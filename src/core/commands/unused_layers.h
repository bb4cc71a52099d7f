#pragma once

#include <filesystem>
#include <vector>

#include "core/state/store.h"

namespace wafers {

/// The directories of layers that no wafer's record names.
std::vector<std::filesystem::path> unused_layers(const Store& store);

enum class Keep { newest_snapshot, nothing };

/// Takes away the layers of bases that no wafer's record names, large ones in the background. A
/// snapshot that was used within the last day is kept, if it is the newest and `keep` says so. Does
/// nothing where a process is about to use one. Returns what it took away. The caller holds no
/// lock_all(). Throws nothing: what is left goes the next time.
std::vector<std::filesystem::path> take_away_unused_layers(
    const Store& store, Keep keep = Keep::newest_snapshot) noexcept;

}  // namespace wafers
