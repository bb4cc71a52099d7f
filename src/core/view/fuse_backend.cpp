// fuse-overlayfs: no privilege and no namespace, but a server between the agent and its files.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/text.h"
#include "core/view/backend_parts.h"
#include "core/view/host_checks.h"
#include "core/view/visible_view.h"
#include "linux/fuse_overlayfs.h"
#include "linux/host_facts.h"
#include "linux/overlay_trial.h"
#include "linux/process_scan.h"
#include "linux/upper.h"
#include "os/activity.h"
#include "os/child.h"
#include "os/files.h"
#include "os/orphans.h"
#include "os/process.h"

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
  return {wafer.layers, wafer.directory, wafer.mountpoint, !wafer.volatile_boot.empty()};
}

/// A request that waits for the server's answer, and that a signal ends as long as the server
/// hasn't taken it. Those that follow can't be ended (fuse_flush(), write-back).
void require_root(const std::filesystem::path& mountpoint) {
  struct statx status {};
  if (::statx(AT_FDCWD, mountpoint.c_str(), AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) == 0)
    return;
  throw_errno("cannot look at the view", mountpoint.native());
}

Error no_answer(const Wafer& wafer, pid_t server, char state) {
  const std::string pid = std::to_string(server);
  const std::string end = "'wafers umount " + wafer.name + "' ends the view";
  std::string why = " does nothing";
  std::string hint = "try again later; " + end;
  if (state == 'T') {
    why = " is stopped";
    hint = "let it go on with 'kill -CONT " + pid + "'; " + end;
  } else if (state == 't') {
    why = " is stopped by a debugger";
    hint = "end that debugger; " + end;
  }
  return Error(ErrorKind::busy,
               "the view of wafer " + in_quotes(wafer.name) +
                   " does not answer: its server, fuse-overlayfs (process " + pid + ")," + why,
               std::move(hint));
}

/// What `work` says, which may wait for the view's server, which an agent can stop at any time.
/// Every call that waits for it is made here, in a child. Throws Error(busy) where it doesn't
/// answer, and what `work` throws.
std::string wait_for_server(const Wafer& wafer, const UniqueFd& process,
                            const std::function<std::string()>& work) {
  const pid_t server = pid_of(process.get());
  ActivityWatch watch(server);
  if (auto answer = ask_child(work, [&] { return watch.goes_on(); })) return *std::move(answer);
  throw no_answer(wafer, server, watch.state());
}

/// wait_for_server() for what there is no point in where the server has ended meanwhile.
void wait_while_served(const Wafer& wafer, const UniqueFd& process,
                       const std::function<void()>& work) {
  try {
    wait_for_server(wafer, process, [&] {
      require_root(wafer.mountpoint);
      work();
      return std::string();
    });
  } catch (const Error& error) {
    const bool cut_off = error.errnum() == ENOTCONN || error.errnum() == ECONNABORTED;
    if (!cut_off || !has_ended(process.get())) throw;
  }
}

/// occupants_of_view() in a child: to look at a process waits for whatever that one's memory waits
/// for (proc_pid_cmdline_read(), /proc/<pid>/maps).
std::vector<Occupant> find_occupants(const Wafer& wafer, const UniqueFd& process,
                                     const ViewIdentity& view) {
  const std::string answer = wait_for_server(wafer, process, [&, self = ::getpid()] {
    std::string text;
    for (const Occupant& occupant : occupants_of_view(wafer, view)) {
      if (occupant.pid == self) continue;
      for (const std::string& field :
           {std::to_string(occupant.pid), occupant.command, occupant.note}) {
        text += field;
        text += '\0';
      }
    }
    return text;
  });
  std::vector<Occupant> occupants;
  const std::vector<std::string> fields = split(answer, '\0');
  for (std::size_t i = 0; i + 2 < fields.size(); i += 3) {
    occupants.push_back({std::stoi(fields[i]), fields[i + 1], fields[i + 2]});
  }
  return occupants;
}

/// Unmounts a view and waits for its server. Refused while a process is inside.
void take_away(const Wafer& wafer, const UniqueFd& server) {
  try {
    unmount_fuse(wafer.mountpoint);
  } catch (const Error& error) {
    if (error.errnum() != EBUSY) throw;
    const auto view = view_identity(wafer.mountpoint);
    throw view_is_busy(wafer,
                       view ? find_occupants(wafer, server, *view) : std::vector<Occupant>());
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
void clear_what_is_left(const Wafer& wafer) {
  if (!mounted_view(wafer, is_fuse)) return;
  if (const UniqueFd server = open_fuse_overlayfs(wafer.upper())) return take_away(wafer, server);
  unmount_fuse_lazily(wafer.mountpoint);  // processes inside have lost it already
}

/// close(2) makes the kernel send what it holds of a file to the server and wait for that, mappings
/// included (fuse_flush() in fs/fuse/file.c). syncfs(2) starts the same but need not wait.
void flush_file(const std::filesystem::path& path) {
  UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!fd) fd = open_file(path, O_WRONLY | O_NONBLOCK);
  if (!fd) return;  // gone meanwhile, or of a process that ended, which has flushed it
  if (::close(fd.release()) == 0) return;
  throw_errno("cannot flush", path.native());
}

/// A view here whose server lives.
class ServedView final : public VisibleView {
 public:
  ServedView(const Wafer& wafer, UniqueFd server, const ViewIdentity& view)
      : VisibleView(wafer), server_(std::move(server)), view_(view) {}

  /// Mounted without the kernel's write-back cache, all but shared mappings is in the upper when
  /// write(2) returns. Files open for writing are flushed as well, for a fuse-overlayfs that
  /// doesn't know the option.
  void flush() const override {
    wait_while_served(wafer(), server_, [&] {
      for (const auto& path : files_being_written(view_)) flush_file(path);
      sync_file_system(wafer().mountpoint);
    });
  }

  void require_answer() const override {
    wait_while_served(wafer(), server_, [] {});
  }

 private:
  UniqueFd server_;
  ViewIdentity view_;
};

class FuseBackend final : public Backend {
 public:
  BackendKind kind() const override { return BackendKind::fuse; }

  Trial trial(const std::filesystem::path& state_dir, MountMode mode) const override {
    try {
      refuse_what_would_stay();
      const Scratch scratch(state_dir, kTrialPrefix);
      make_trial_layers(scratch.path());
      try_and_reap(scratch.path(), mode);
      return {true, UpperDialect::fuse, {}, {}};
    } catch (const Error& error) {
      return trial_failed(error, hint_for_fuse());
    }
  }

  MountRecord mount(const Wafer& wafer) const override {
    if (live_view(wafer)) return *wafer.mount;
    refuse_elsewhere(wafer);
    refuse_what_would_stay();
    clear_what_is_left(wafer);
    const FuseServer server = start_fuse_overlayfs(spec_of(wafer));
    try {
      return record_visible_view(wafer, ProcessId{server.pid, server.start_ticks});
    } catch (const Error&) {
      abandon_fuse_overlayfs(spec_of(wafer));
      throw;
    }
  }

  /// A fuse-overlayfs that died leaves its mountpoint behind in a state in which no call can look
  /// at it.
  void clear_mountpoint(const Wafer& wafer) const override { unmount(wafer); }

  std::unique_ptr<MountedView> find(const Wafer& wafer) const override {
    UniqueFd server = open_recorded_process(wafer.mount);
    const auto view = server ? recorded_view(wafer) : std::nullopt;
    if (view) return std::make_unique<ServedView>(wafer, std::move(server), *view);
    if (!wafer.mount && mounted_view(wafer, is_fuse)) return std::make_unique<VisibleView>(wafer);
    return find_elsewhere(wafer);
  }

  std::vector<Occupant> occupants(const Wafer& wafer) const override {
    const UniqueFd server = open_recorded_process(wafer.mount);
    const auto view = server ? proven_live_view(wafer) : std::nullopt;
    return view ? find_occupants(wafer, server, *view) : std::vector<Occupant>();
  }

  void unmount(const Wafer& wafer) const override {
    const UniqueFd server = open_recorded_process(wafer.mount);
    if (!proven_live_view(wafer)) {
      refuse_elsewhere(wafer);
      return clear_what_is_left(wafer);
    }
    take_away(wafer, server);
  }

  void abandon(const Wafer& wafer) const override {
    try {
      unmount(wafer);
    } catch (const Error& error) {
      if (error.errnum() != EAGAIN) throw;
      abandon_fuse_overlayfs(spec_of(wafer));
      if (mounted_view(wafer, is_fuse)) throw;
    }
  }

 private:
  /// Leaves no zombie of the server where no other process waits for it.
  static void try_and_reap(const std::filesystem::path& scratch, MountMode mode) {
    if (orphans_are_reaped()) return try_serving(scratch, mode);
    const auto failure = run_in_child([&] {
      adopt_orphans();
      try_serving(scratch, mode);
      reap_orphans();
    });
    if (failure) throw failure->error();
  }

  static void try_serving(const std::filesystem::path& scratch, MountMode mode) {
    const FuseSpec spec{
        {scratch / "base"}, scratch, scratch / "view", mode == MountMode::volatile_};
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
