#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/commands/starting_point.h"
#include "core/state/store.h"

namespace wafers {

struct FreezeRequest {
  std::optional<std::string> revision;  ///< HEAD if absent
  std::filesystem::path from = ".";
  bool refresh = false;  ///< anew, with the ignored files that are there now
};

struct FrozenCommit {
  StartingPoint base;
  std::vector<std::filesystem::path> layers;  ///< topmost first
};

/// `wafers freeze`: what `add --frozen` of that commit would do for it, ahead of time. Throws
/// Error, as that does; nothing is left then.
FrozenCommit freeze_commit(const Store& store, const FreezeRequest& request);

}  // namespace wafers
