#include "core/view/rename.h"

#include "core/inside/own_submodules.h"
#include "core/inside/registration.h"
#include "core/view/mount.h"
#include "core/view/mountpoint.h"

namespace wafers {

Wafer rename_wafer(const Store& store, const std::string& name, const std::string& new_name) {
  require_valid_name(new_name);
  LockedWafer wafer(store, name);
  unmount_and_record(wafer);
  if (wafer->has_git_inside()) unbind_submodules(*wafer);
  const Wafer before = *wafer;
  {
    const Lock names = store.lock_all();
    store.rename(*wafer, new_name);
  }
  if (wafer->has_git_inside()) move_registration(*wafer, before.directory);
  relabel_mountpoint(before, *wafer);
  return *wafer;
}

}  // namespace wafers
