#pragma once

#include <string>

#include "core/store.h"
#include "core/wafer.h"

namespace wafers {

/// The wafer, with its view mounted: by this call if it was not (after a reboot, a killed holder,
/// an umount). Takes the wafer's lock only if it has to mount. Touches no Git code. Throws Error;
/// nothing in the upper is lost in any case.
Wafer ensure_mounted(const Store& store, const std::string& name);

/// Mounts the view of a wafer whose lock the caller holds, and saves the record. No-op where it is
/// mounted. Throws Error.
void mount_locked(const Store& store, Wafer& wafer);

/// `wafers umount`: unmounts the view; fine where it is not mounted. Throws Error(busy) where
/// processes are inside.
void unmount_wafer(const Store& store, const std::string& name);

}  // namespace wafers
