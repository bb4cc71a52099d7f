#pragma once

#include "core/snapshot/snapshot_types.h"

namespace wafers {

/// snapshot(upper on top of base, tracked as in tip) -> tree. Cost grows with the upper; the base's
/// worktree is read only below an ignore file that the upper changed, for untracked rule files, and
/// for ignored files of the base that the tip tracks. A file that changes while it is read is read
/// again; a name that vanishes counts as never seen. Throws Error(failed) for the object database.
Snapshot take_snapshot(const SnapshotInput& input);

}  // namespace wafers
