#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

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

/// A view that is mounted here, or elsewhere if a process is given that sees it there.
class VisibleView : public MountedView {
 public:
  explicit VisibleView(Wafer wafer, std::optional<pid_t> elsewhere = std::nullopt)
      : wafer_(std::move(wafer)), elsewhere_(elsewhere) {}

  MountState state() const override;

  /// Throws Error(failed) where it is mounted elsewhere: there is no way to go there.
  void enter() const override;

 protected:
  const Wafer& wafer() const noexcept { return wafer_; }

 private:
  Wafer wafer_;
  std::optional<pid_t> elsewhere_;
};

/// The view, where it is mounted in another mount namespace; null where it isn't.
std::unique_ptr<MountedView> find_elsewhere(const Wafer& wafer);

/// Throws Error(failed) where it is mounted in another mount namespace.
void refuse_elsewhere(const Wafer& wafer);

/// Record of a view that was just mounted. Throws Error(failed) where it can't be looked at.
MountRecord record_visible_view(const Wafer& wafer, std::optional<ProcessId> server);

}  // namespace wafers
