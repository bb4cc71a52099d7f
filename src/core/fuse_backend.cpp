// fuse-overlayfs: no privilege and no namespace, but a server between the agent and its files.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/fd.h"
#include "base/text.h"
#include "core/backend_internal.h"
#include "core/doctor_checks.h"
#include "core/visible_view.h"
#include "linux/child.h"
#include "linux/files.h"
#include "linux/fuse_overlayfs.h"
#include "linux/host_facts.h"
#include "linux/orphans.h"
#include "linux/overlay_trial.h"
#include "linux/process.h"
#include "linux/process_scan.h"
#include "linux/upper.h"

namespace wafers {
namespace {

constexpr std::string_view kType = "fuse.fuse-overlayfs";

bool is_fuse(const MountEntry& entry) { return entry.type == kType; }

/// The view, where it is mounted here and its server lives. A dead server leaves a mountpoint on
/// which everything fails with ENOTCONN.
std::optional<ViewIdentity> live_view(const Wafer& wafer) {
  if (!open_recorded_process(wafer.mount)) return std::nullopt;
  return recorded_view(wafer);
}

/// The same, where it is a view for sure, and its server that of this wafer: before anything is
/// ended.
std::optional<ViewIdentity> proven_live_view(const Wafer& wafer) {
  if (!open_recorded_process(wafer.mount)) return std::nullopt;
  if (!serves_upper(wafer.mount->process->pid, wafer.upper())) return std::nullopt;
  return proven_view(wafer, kType, {});
}

FuseSpec spec_of(const Wafer& wafer) {
  return {wafer.base_repo, wafer.directory, wafer.mountpoint, !wafer.volatile_boot.empty()};
}

/// Unmounts a view and waits for its server. Refused while anybody is inside.
void take_away(const Wafer& wafer, const UniqueFd& server) {
  try {
    unmount_fuse(wafer.mountpoint);
  } catch (const Error& error) {
    if (error.errnum() != EBUSY) throw;
    const auto view = view_identity(wafer.mountpoint);
    throw view_is_busy(wafer, view ? occupants_of_view(*view) : std::vector<Occupant>());
  }
  wait_for_fuse_overlayfs(server);
}

/// For a user without a name or a mount table, fusermount3 mounts and then refuses to unmount.
void refuse_what_would_stay() {
  const Caller caller = ::getuid() == 0 ? Caller::root : Caller::ordinary_user;
  const Check check = check_unmounting(read_fusermount_facts(), caller, CheckStatus::fail);
  if (check.status == CheckStatus::ok) return;
  throw Error(ErrorKind::unsupported,
              "what fuse-overlayfs mounts could not be unmounted again: " + check.message,
              check.remedy);
}

/// Takes away what a dead server, or a wafers that was killed before it saved a record, left on the
/// mountpoint.
void clear_mountpoint(const Wafer& wafer) {
  if (!mounted_view(wafer, is_fuse)) return;
  if (const UniqueFd server = open_fuse_overlayfs(wafer.upper())) return take_away(wafer, server);
  unmount_fuse_lazily(wafer.mountpoint);  // whoever is inside has lost it already
}

/// close(2) makes the kernel send what it holds of a file to the server and wait for that, mappings
/// included (fuse_flush() in fs/fuse/file.c). syncfs(2) starts the same but need not wait.
void flush_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) fd.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return;  // gone meanwhile, or of a process that ended, which has flushed it
  if (::close(fd.release()) == 0) return;
  const int err = errno;
  throw Error::system(err, "cannot flush " + wafers::quoted(path.native()));
}

class FuseBackend final : public Backend {
 public:
  BackendKind kind() const override { return BackendKind::fuse; }

  Trial trial(const std::filesystem::path& state_dir, MountMode mode) const override {
    try {
      refuse_what_would_stay();
      const Scratch scratch(state_dir, kTrialPrefix);
      make_trial_layers(scratch.path());
      const auto failure = run_in_child([&] {
        adopt_orphans();  // nobody else may wait for the server, which is about to end
        try_serving(scratch.path(), mode);
        reap_orphans();
      });
      if (failure) throw failure->error();
      return {true, UpperDialect::fuse, {}, {}};
    } catch (const Error& error) {
      return trial_failed(error, hint_for_fuse());
    }
  }

  MountRecord mount(const Wafer& wafer) const override {
    if (live_view(wafer)) return *wafer.mount;
    if (process_with_view_elsewhere(wafer)) require_visible(wafer, state(wafer));
    refuse_what_would_stay();
    clear_mountpoint(wafer);
    const FuseServer server = start_fuse_overlayfs(spec_of(wafer));
    try {
      return record_visible_view(wafer, ProcessId{server.pid, server.start_ticks});
    } catch (const Error&) {
      abandon_fuse_overlayfs(spec_of(wafer));
      throw;
    }
  }

  MountState state(const Wafer& wafer) const override {
    if (live_view(wafer)) return state_here(wafer);
    if (!wafer.mount && mounted_view(wafer, is_fuse)) return state_here(wafer);
    const auto process = process_with_view_elsewhere(wafer);
    return process ? state_elsewhere(wafer, *process) : MountState();
  }

  std::vector<Occupant> occupants(const Wafer& wafer) const override {
    const auto view = proven_live_view(wafer);
    return view ? occupants_of_view(*view) : std::vector<Occupant>();
  }

  void unmount(const Wafer& wafer) const override {
    const UniqueFd server = open_recorded_process(wafer.mount);
    if (!proven_live_view(wafer)) {
      if (process_with_view_elsewhere(wafer)) require_visible(wafer, state(wafer));
      return clear_mountpoint(wafer);
    }
    take_away(wafer, server);
  }

  void enter(const Wafer& wafer) const override { require_visible(wafer, state(wafer)); }

  /// Mounted without the kernel's write-back cache, all but shared mappings is in the upper when
  /// write(2) returns. Files open for writing are flushed as well, for a fuse-overlayfs that
  /// doesn't know the option.
  void flush(const Wafer& wafer) const override {
    const auto view = live_view(wafer);
    if (!view) return;
    for (const auto& path : files_being_written(*view)) flush_file(path);
    sync_file_system(wafer.mountpoint);
  }

 private:
  static void try_serving(const std::filesystem::path& scratch, MountMode mode) {
    const FuseSpec spec{scratch / "base", scratch, scratch / "view", mode == MountMode::volatile_};
    const FuseServer server = start_fuse_overlayfs(spec);
    try {
      const UniqueFd process = open_process(server.pid, server.start_ticks);
      try_view(spec.mountpoint);
      check_whiteouts(scratch / "upper");
      unmount_fuse(spec.mountpoint);
      wait_for_fuse_overlayfs(process);
    } catch (const Error&) {
      abandon_fuse_overlayfs(spec);
      throw;
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_fuse_backend() { return std::make_unique<FuseBackend>(); }

}  // namespace wafers
