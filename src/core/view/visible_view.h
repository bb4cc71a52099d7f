#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string_view>

#include "core/view/backend.h"
#include "linux/mount_table.h"
#include "linux/overlay.h"

namespace wafers {

// What the backends `host` and `fuse` have in common: the view is mounted in the mount namespace in
// which wafers was called, for everybody in it to see. Not for the rest of core.

/// The view of the record, where this process sees it at the mountpoint. The record's device number
/// tells it from whatever else may be mounted there.
std::optional<ViewIdentity> recorded_view(const Wafer& wafer);

/// The same, but only if what is mounted there is of this type and source (empty: of any), by the
/// mount table: a record can name any mount, and what follows ends processes or unmounts.
std::optional<ViewIdentity> proven_view(const Wafer& wafer, std::string_view type,
                                        std::string_view source);

/// What the mount table has at the mountpoint, if `is_ours` takes it for the view: for wafers whose
/// record is lost. Reads the whole table.
std::optional<MountEntry> mounted_view(const Wafer& wafer,
                                       const std::function<bool(const MountEntry&)>& is_ours);

/// The view was mounted in another mount namespace (`podman unshare`, a container), where it can
/// still be reached through this process.
std::optional<pid_t> process_with_view_elsewhere(const Wafer& wafer);

/// The state of a view that is mounted here, or elsewhere if that process is given.
MountState state_here(const Wafer& wafer);
MountState state_elsewhere(const Wafer& wafer, pid_t process);

/// Record of a view that was just mounted. Throws Error(failed) where it can't be looked at.
MountRecord record_visible_view(const Wafer& wafer, std::optional<ProcessId> server);

/// Throws Error(failed) unless this process sees the view: there is no way to go where it is.
void require_visible(const Wafer& wafer, const MountState& state);

}  // namespace wafers
