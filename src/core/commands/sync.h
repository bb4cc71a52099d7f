#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/commands/starting_point.h"
#include "core/state/store.h"

namespace wafers {

struct SyncResult {
  std::string name;
  std::string branch;
  StartingPoint base;
  std::string last_commit;  ///< hexadecimal
  bool changed = false;     ///< else it was there already
  std::size_t commits = 0;  ///< of the branch, made anew
};

/// `wafers git-sync`: brings the wafer onto the commit that `onto` stands for in its checkout, else
/// HEAD: its branch, wherever that was moved to, is rebased, staged and uncommitted changes are
/// carried over, and the base is that commit then. Ignored files of the upper stay. All of it is
/// done or, where anything fails, nothing; killed at any moment, the wafer is the old one or the
/// new one. Throws Error(refused), naming paths, where there are conflicts, or files that no commit
/// has are in the way, Error(busy) where processes are inside, and Error.
SyncResult sync_wafer(const Store& store, const std::string& name,
                      const std::optional<std::string>& onto);

}  // namespace wafers
