#include "core/view/mount.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "core/view/base_mounts.h"
#include "core/view/mountpoint.h"
#include "core/view/surrounding_wafer.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// The view, where it can be used as it is.
std::unique_ptr<MountedView> usable_view(const Backend& backend, const Wafer& wafer) {
  auto view = backend.find(wafer);
  if (!view || !view->is_kept()) return nullptr;
  view->require_answer();
  return view;
}

/// What the view is made of. The work directory holds nothing between two mounts.
void require_layers(const Wafer& wafer) {
  const std::string doing = "cannot mount wafer " + in_quotes(wafer.name) + ": its ";
  for (const fs::path& layer : wafer.layers) {
    if (fs::is_directory(layer)) continue;
    throw Error(ErrorKind::failed, doing + "base " + in_quotes(layer.native()) + " is gone");
  }
  if (!wafer.place.empty() && !fs::is_directory(fs::symlink_status(wafer.place))) {
    throw Error(
        ErrorKind::failed,
        doing + "place " + in_quotes(wafer.place.native()) + ", where the view is to be, is gone",
        "mkdir -p " + shell_quoted(wafer.place.native()) + " makes room for it");
  }
  if (!fs::is_directory(fs::symlink_status(wafer.upper()))) {
    throw Error(ErrorKind::failed,
                doing + "upper " + in_quotes(wafer.upper().native()) +
                    " is gone, and with it what was not committed",
                "'wafers rm --force " + wafer.name + "' removes the rest");
  }
  make_missing_directory(wafer.work(), 0700);
}

}  // namespace

void mount_and_record(LockedWafer& locked, const PrepareLayers& prepare) {
  Wafer& wafer = *locked;
  refuse_unclean(wafer);
  const auto backend = make_backend(wafer.backend);
  if (usable_view(*backend, wafer)) return;
  refuse_nested_mount(locked.store(), wafer);
  prepare(locked);
  require_layers(wafer);
  refuse_base_mounts(wafer);
  backend->clear_mountpoint(wafer);
  if (plan_mountpoint(wafer)) locked.save(Durability::until_crash);
  prepare_mountpoint(wafer);
  expect_unclean(locked);
  wafer.mount = backend->mount(wafer);
  locked.save();
}

MountedWafer ensure_mounted(const Store& store, Wafer wafer, const PrepareLayers& prepare,
                            Unclean unclean) {
  const auto backend = make_backend(wafer.backend);
  if (!is_unclean(wafer)) {
    if (auto view = usable_view(*backend, wafer)) return {std::move(wafer), std::move(view)};
  }
  // Another process may have mounted or removed it while we wait for the lock.
  LockedWafer locked(store, wafer.name);
  if (unclean == Unclean::accept) accept_unclean(locked);
  mount_and_record(locked, prepare);
  auto view = backend->find(*locked);
  return {std::move(*locked), std::move(view)};
}

void unmount_wafer(const Store& store, const std::string& name) {
  LockedWafer locked(store, name);
  unmount_and_record(locked);
}

void unmount_and_record(LockedWafer& locked) {
  Wafer& wafer = *locked;
  make_backend(wafer.backend)->unmount(wafer);
  if (!wafer.mount && wafer.volatile_boot.empty()) return;
  if (!wafer.volatile_boot.empty() && !is_unclean(wafer)) {
    sync_file_system(wafer.upper());
    wafer.volatile_boot.clear();
  }
  wafer.mount.reset();  // not before: it is by this that a clean end of the host is known
  locked.save();
}

}  // namespace wafers
