#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/commands/add_names.h"
#include "core/commands/list.h"
#include "core/commands/starting_point.h"
#include "core/state/store.h"
#include "core/state/wafer.h"

namespace wafers {

struct AddResult {
  StartingPoint base;
  std::vector<WaferInfo> wafers;
};

/// `wafers add`: makes wafers and mounts their views, all of them or, where anything fails, none;
/// then branches, mounts, state and directories that were made are gone again. The base's worktree
/// and index are only read. `notify` hears of fallbacks and of what will not work. Throws
/// Interrupted, or Error: usage (names, templates), refused (base not clean, branch or mountpoint
/// not usable), unsupported (repository or host), failed.
AddResult add_wafers(const Store& store, const AddRequest& request, const Notify& notify);

}  // namespace wafers
