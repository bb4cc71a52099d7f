#include "core/view/visible_view.h"

#include <fcntl.h>

#include "base/text.h"
#include "core/view/backend_parts.h"
#include "linux/namespaces.h"
#include "linux/process_scan.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

std::filesystem::path path_through(pid_t process, const Wafer& wafer) {
  return "/proc/" + std::to_string(process) + "/root" + wafer.mountpoint.native();
}

std::optional<ViewIdentity> recorded_view_at(const std::filesystem::path& path,
                                             const Wafer& wafer) {
  if (!is_of_this_boot(wafer.mount) || !wafer.mount->device) return std::nullopt;
  const auto view = view_identity(path);
  return view && view->device == *wafer.mount->device ? view : std::nullopt;
}

/// The view was mounted in another mount namespace (`podman unshare`, a container), where it can
/// still be reached through this process.
std::optional<pid_t> process_with_view_elsewhere(const Wafer& wafer) {
  if (!is_of_this_boot(wafer.mount) || !wafer.mount->mnt_ns) return std::nullopt;
  if (*wafer.mount->mnt_ns == own_namespace_inode(NamespaceType::mount)) return std::nullopt;
  for (const pid_t pid : processes_in_mount_namespace(*wafer.mount->mnt_ns)) {
    if (recorded_view_at(path_through(pid, wafer), wafer)) return pid;
  }
  return std::nullopt;
}

MountState state_here(const Wafer& wafer) {
  MountState state;
  state.status = WaferStatus::mounted;
  state.host_path = wafer.mountpoint;
  state.view = wafer.mountpoint;
  return state;
}

MountState state_elsewhere(const Wafer& wafer, pid_t process) {
  const std::string namespaces = "/proc/" + std::to_string(process) + "/ns/";
  MountState state;
  state.status = WaferStatus::mounted;
  state.user_ns = namespaces + "user";
  state.mnt_ns = namespaces + "mnt";
  state.host_path = path_through(process, wafer);
  state.view = state.host_path;
  return state;
}

}  // namespace

std::optional<ViewIdentity> recorded_view(const Wafer& wafer) {
  return recorded_view_at(wafer.mountpoint, wafer);
}

std::optional<ViewIdentity> proven_view(const Wafer& wafer, std::string_view type,
                                        std::string_view source) {
  auto view = recorded_view(wafer);
  if (!view) return view;
  // Without the table nothing is proven, and a view that is there mustn't pass for none.
  const UniqueFd table = open_or_throw("/proc/self/mountinfo", O_RDONLY);
  const bool is_proven = is_mount_of(read_to_end(table.get()), view->mount_id, type, source);
  return is_proven ? view : std::nullopt;
}

std::optional<MountEntry> mounted_view(const Wafer& wafer,
                                       const std::function<bool(const MountEntry&)>& is_ours) {
  auto entry = find_mount(own_mount_table(), wafer.mountpoint);
  return entry && is_ours(*entry) ? entry : std::nullopt;
}

MountState VisibleView::state() const {
  return elsewhere_ ? state_elsewhere(wafer_, *elsewhere_) : state_here(wafer_);
}

void VisibleView::enter() const {
  if (!elsewhere_) return;
  const MountState there = state_elsewhere(wafer_, *elsewhere_);
  throw Error(ErrorKind::failed,
              "the view of " + in_quotes(wafer_.name) + " is mounted in another mount namespace",
              "run wafers there: nsenter --user=" + *there.user_ns + " --mount=" + *there.mnt_ns +
                  " --preserve-credentials wafers ...");
}

std::unique_ptr<MountedView> find_elsewhere(const Wafer& wafer) {
  const auto process = process_with_view_elsewhere(wafer);
  return process ? std::make_unique<VisibleView>(wafer, process) : nullptr;
}

void refuse_elsewhere(const Wafer& wafer) {
  if (const auto view = find_elsewhere(wafer)) view->enter();
}

MountRecord record_visible_view(const Wafer& wafer, std::optional<ProcessId> server) {
  const auto view = view_identity(wafer.mountpoint);
  if (!view) {
    throw Error(ErrorKind::failed, "cannot look at the view that was just mounted on " +
                                       in_quotes(wafer.mountpoint.native()));
  }
  MountRecord record;
  record.boot_id = boot_id();
  record.process = server;
  record.mnt_ns = own_namespace_inode(NamespaceType::mount);
  record.device = view->device;
  return record;
}

}  // namespace wafers
