// Kernel overlayfs in the caller's own mount namespace, for callers with CAP_SYS_ADMIN over it.

#include <cerrno>

#include "base/text.h"
#include "core/view/backend_parts.h"
#include "core/view/mountpoint.h"
#include "core/view/visible_view.h"
#include "linux/capabilities.h"
#include "linux/namespaces.h"
#include "linux/overlay_trial.h"
#include "linux/upper.h"
#include "os/child.h"

namespace wafers {
namespace {

bool is_ours(const MountEntry& entry, const Wafer& wafer) {
  return entry.type == "overlay" && entry.source == view_source(wafer);
}

std::optional<ViewIdentity> view_in_table(const Wafer& wafer) {
  const auto entry =
      mounted_view(wafer, [&](const MountEntry& found) { return is_ours(found, wafer); });
  if (!entry) return std::nullopt;
  return ViewIdentity{entry->device, entry->mount_id};
}

/// Where the record doesn't lead to it, the mount table may: a command that was killed, or that
/// lacked a descriptor, has mounted it and not written that down.
std::optional<ViewIdentity> view_here(const Wafer& wafer) {
  auto view = recorded_view(wafer);
  return view ? view : view_in_table(wafer);
}

/// The same, by the mount table, where the record could name any other mount: before anything is
/// unmounted or ended.
std::optional<ViewIdentity> proven_view_here(const Wafer& wafer) {
  return recorded_view(wafer) ? proven_view(wafer, "overlay", view_source(wafer))
                              : view_in_table(wafer);
}

/// In a child with a mount namespace of its own: whatever happens to it, no mount is left behind.
void try_mounting(const std::filesystem::path& state_dir, OverlayXattrs xattrs, MountMode mode) {
  const Scratch scratch(state_dir, kTrialPrefix);
  make_trial_layers(scratch.path());
  OverlaySpec spec = trial_overlay(scratch.path(), xattrs);
  spec.is_volatile = mode == MountMode::volatile_;
  const auto failure = run_in_child([&] {
    unshare_mount();
    make_mounts_slave();
    try_overlay(spec);
  });
  if (failure) throw failure->error();
}

class HostBackend final : public Backend {
 public:
  BackendKind kind() const override { return BackendKind::host; }

  Trial trial(const std::filesystem::path& state_dir, MountMode mode) const override {
    if (!has_sys_admin()) {
      return {false,
              {},
              "the caller has no CAP_SYS_ADMIN over its mount namespace",
              "run wafers as root or in 'podman unshare', or use the backend namespace"};
    }
    try {
      try_mounting(state_dir, OverlayXattrs::user, mode);
      return {true, UpperDialect::kernel_user, {}, {}};
    } catch (const Error& error) {
      if (error.is_shortage()) throw;
      return trusted_trial(state_dir, mode, error);
    }
  }

  MountRecord mount(const Wafer& wafer) const override {
    if (recorded_view(wafer)) return *wafer.mount;
    if (view_in_table(wafer)) return record_visible_view(wafer, {});
    refuse_elsewhere(wafer);
    try {
      const UniqueFd place = open_prepared_mountpoint(wafer);
      OverlaySpec spec = overlay_of(wafer);
      spec.mountpoint_fd = place.get();
      retry_while_in_use(wafer, [&] { mount_overlay(spec); });
    } catch (const Error& error) {
      if (error.errnum() == EBUSY) throw view_is_busy(wafer, {});
      throw;
    }
    try {
      return record_visible_view(wafer, {});
    } catch (const Error&) {
      unmount_lazily(wafer.mountpoint);
      throw;
    }
  }

  /// The page cache of a kernel overlay is that of the upper's files, mappings included: there is
  /// nothing to flush.
  std::unique_ptr<MountedView> find(const Wafer& wafer) const override {
    return view_here(wafer) ? std::make_unique<VisibleView>(wafer) : find_elsewhere(wafer);
  }

  std::vector<Occupant> occupants(const Wafer& wafer) const override {
    const auto view = proven_view_here(wafer);
    return view ? occupants_of_view(wafer, *view) : std::vector<Occupant>();
  }

  void unmount(const Wafer& wafer) const override {
    if (!proven_view_here(wafer)) {
      return refuse_elsewhere(wafer);
    }
    try {
      wafers::unmount(wafer.mountpoint);  // refused by the kernel while a process is inside
    } catch (const Error& error) {
      if (error.errnum() == EBUSY) throw view_is_busy(wafer, occupants(wafer));
      throw;
    }
  }

 private:
  /// `why_not_user`: what failed with user xattrs, which is what people can do something about.
  static Trial trusted_trial(const std::filesystem::path& state_dir, MountMode mode,
                             const Error& why_not_user) {
    try {
      try_mounting(state_dir, OverlayXattrs::trusted, mode);
      return {true, UpperDialect::kernel_trusted, {}, {}};
    } catch (const Error&) {
      return trial_failed(why_not_user, hint_for_kernel_overlay(state_dir));
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_host_backend() { return std::make_unique<HostBackend>(); }

}  // namespace wafers
