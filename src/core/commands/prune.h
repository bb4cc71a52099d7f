#pragma once

#include <string>
#include <vector>

#include "core/state/store.h"

namespace wafers {

struct PruneResult {
  std::vector<std::string> wafers;    ///< names: not completely made, or not completely removed
  std::vector<std::string> layers;    ///< paths of layers that no wafer uses
  std::vector<std::string> salvaged;  ///< refs of work that `rm --force` kept, and that has expired
  std::vector<std::string> warnings;
};

/// `wafers prune`: takes away what nothing needs any more. Never a wafer that could be mounted.
/// Salvaged work expires by `wafers.salvageExpire` (30 days; as git takes such a time) of the
/// repositories of all wafers and of the one that this process stands in. `dry_run`: only says what
/// would go. What can't be looked at or removed is a warning.
PruneResult prune(const Store& store, bool dry_run);

}  // namespace wafers
