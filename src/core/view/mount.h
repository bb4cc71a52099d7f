#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/state/store.h"
#include "core/state/wafer.h"
#include "core/view/backend.h"

namespace wafers {

/// What is to happen with a wafer that is unclean (core/state/unclean.h).
enum class Unclean { refuse, accept };

/// A wafer and its view as it was found. Absent where the view has gone away since it was mounted.
struct MountedWafer {
  Wafer wafer;
  std::unique_ptr<MountedView> view;
};

/// What is done to a wafer, under its lock, before its view is mounted: its layers are made what
/// they must be (core/base/live_base.h).
using PrepareLayers = std::function<void(LockedWafer&)>;

/// `wafer`, as it was just loaded, with its view mounted: by this call if it was not (after a
/// reboot, a killed holder, an umount). Takes the wafer's lock only if it has to mount. Throws
/// Error(refused) where it is unclean and not to be accepted so, and Error; nothing in the upper is
/// lost in any case.
MountedWafer ensure_mounted(const Store& store, Wafer wafer, const PrepareLayers& prepare,
                            Unclean unclean = Unclean::refuse);

/// Mounts the view and saves the record. No-op where it is mounted. Throws Error, as
/// ensure_mounted() does.
void mount_and_record(LockedWafer& wafer, const PrepareLayers& prepare);

/// `wafers umount`: unmounts the view; fine where it is not mounted. All that was written is on the
/// disk then, except for a wafer that is unclean, which it stays. Throws Error(busy) where
/// processes are inside, and Error(failed) where something could not be written.
void unmount_wafer(const Store& store, const std::string& name);

/// The same, and saves the record.
void unmount_and_record(LockedWafer& wafer);

}  // namespace wafers
