#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/commands/add_names.h"
#include "core/commands/list.h"
#include "core/state/store.h"
#include "core/state/wafer.h"

namespace wafers {

/// `wafers add`: makes wafers and mounts their views, all of them or, where anything fails, none;
/// then branches, mounts, state and directories that were made are gone again. The base's worktree
/// and index are only read. `notify` hears of fallbacks and of what will not work. Throws
/// Interrupted, or Error: usage (names, templates), refused (base not clean, branch or mountpoint
/// not usable), unsupported (repository or host), failed.
std::vector<WaferInfo> add_wafers(const Store& store, const AddRequest& request,
                                  const Notify& notify);

}  // namespace wafers
