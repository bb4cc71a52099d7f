// Kernel overlayfs in a user and mount namespace of the wafer's own, kept alive by a holder.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "core/view/backend_parts.h"
#include "core/view/bystanders.h"
#include "linux/capabilities.h"
#include "linux/covered_checkout.h"
#include "linux/fuse_overlayfs.h"
#include "linux/holder.h"
#include "linux/mount_table.h"
#include "linux/namespaces.h"
#include "linux/overlay_trial.h"
#include "linux/process_scan.h"
#include "linux/second_view.h"
#include "linux/ssh_config.h"
#include "linux/upper.h"
#include "os/child.h"
#include "os/files.h"
#include "os/find_program.h"
#include "os/orphans.h"
#include "os/process.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// A living process in the wafer's namespaces: the holder, or another one that outlived it. The
/// pidfd makes sure that it stays the process that was looked at.
struct Inside {
  UniqueFd pidfd;
  ProcessId id;
  bool holder = false;
};

std::string proc_path(pid_t pid) { return "/proc/" + std::to_string(pid); }

/// Whether this process is in the view's mount namespace: an agent that calls wafers.
bool is_here(const Wafer& wafer) {
  return is_of_this_boot(wafer.mount) &&
         wafer.mount->mnt_ns == own_namespace_inode(NamespaceType::mount);
}

/// A path in the namespace as processes outside reach it. From inside that way is barred: the
/// holder has capabilities that no other process in there has.
fs::path reached(const fs::path& path, pid_t pid, const Wafer& wafer) {
  if (is_here(wafer)) return path;
  return proc_path(pid) + "/root" + path.native();
}

/// The view at its mountpoint.
fs::path view_path_of(pid_t pid, const Wafer& wafer) {
  return reached(wafer.mountpoint, pid, wafer);
}

struct ViewMount {
  ViewIdentity identity;
  fs::path place;  ///< in the namespace
};

/// All mounts of the view, that at its mountpoint first: one that an earlier version has mounted is
/// there alone.
std::vector<ViewMount> mounts_of(pid_t pid, const Wafer& wafer) {
  std::vector<ViewMount> mounts;
  for (const fs::path& path : {wafer.mountpoint, second_view_of(wafer.directory), wafer.place}) {
    if (path.empty()) continue;
    const auto found = view_identity(reached(path, pid, wafer));
    const bool is_view =
        found && (mounts.empty() || found->device == mounts.front().identity.device);
    if (is_view) mounts.push_back({*found, path});
  }
  return mounts;
}

/// The view for those outside.
fs::path host_path_of(pid_t pid, const Wafer& wafer) {
  if (is_here(wafer)) return wafer.mountpoint;
  const fs::path second = second_view_of(wafer.directory);
  const auto mounts = mounts_of(pid, wafer);
  const bool has_second = std::ranges::count(mounts, second, &ViewMount::place) > 0;
  return has_second ? reached(second, pid, wafer) : view_path_of(pid, wafer);
}

bool is_holder(const ProcessStat& stat) { return stat.comm == kHolderComm; }

bool is_view(const MountEntry& entry, const Wafer& wafer) {
  return entry.type == "overlay" && entry.source == view_source(wafer);
}

/// Whether the mount table of a process names the view. Most don't, and the text tells it in a
/// fraction of the time that libmount takes.
bool may_see(pid_t pid, const std::string& source) {
  const auto table = read_small_file(proc_path(pid) + "/mountinfo");
  return table && table->find(" " + source + " ") != std::string::npos;
}

/// The process, if it sees the wafer's view, by its own mount table.
std::optional<Inside> examine(pid_t pid, const Wafer& wafer) {
  Inside inside{open_pidfd(pid), {pid, 0}, false};
  const auto entry = find_mount(mount_table_of(pid), wafer.mountpoint);
  const auto stat = read_process_stat(pid);
  if (!inside.pidfd || !stat || !stat->alive() || !entry || !is_view(*entry, wafer)) {
    return std::nullopt;
  }
  if (has_ended(inside.pidfd.get())) return std::nullopt;  // then all this may be of another one
  inside.id.start_ticks = stat->start_ticks;
  inside.holder = is_holder(*stat);
  return inside;
}

/// The first of `pids` that sees the view; a holder if there is one.
std::optional<Inside> first_inside(const std::vector<pid_t>& pids, const Wafer& wafer) {
  const std::string source = view_source(wafer);
  std::optional<Inside> found;
  for (const pid_t pid : pids) {
    // This process can neither be entered nor ended by itself.
    const bool candidate = pid != ::getpid() && may_see(pid, source);
    auto inside = candidate ? examine(pid, wafer) : std::nullopt;
    if (!inside) continue;
    if (inside->holder) return inside;
    if (!found) found = std::move(inside);
  }
  return found;
}

/// Whether an inode is that of the record, or can't be looked at: from inside another wafer.
bool is_recorded(std::optional<std::uint64_t> inode, std::optional<std::uint64_t> recorded) {
  return recorded && (!inode || inode == recorded);
}

/// By name, start time and namespaces: a record can name any process.
std::optional<Inside> recorded_holder(const Wafer& wafer) {
  UniqueFd pidfd = open_recorded_process(wafer.mount);
  if (!pidfd) return std::nullopt;
  const pid_t pid = wafer.mount->process->pid;
  const auto stat = read_process_stat(pid);
  if (!stat || !is_holder(*stat) ||
      !is_recorded(namespace_inode(pid, NamespaceType::user), wafer.mount->user_ns) ||
      !is_recorded(namespace_inode(pid, NamespaceType::mount), wafer.mount->mnt_ns)) {
    return std::nullopt;
  }
  return Inside{std::move(pidfd), *wafer.mount->process, true};
}

bool may_look(const Inside& inside) {
  struct stat root {};
  return ::stat((proc_path(inside.id.pid) + "/root/").c_str(), &root) == 0;
}

/// Whether the view is still where it was mounted. True where we aren't allowed to look: from
/// inside another wafer.
bool has_view(const Inside& inside, const Wafer& wafer) {
  if (!may_look(inside)) return true;
  const auto view = view_identity(view_path_of(inside.id.pid, wafer));
  return view && (!wafer.mount->device || view->device == *wafer.mount->device);
}

/// Whether it is this wafer's view that is mounted there, by the mount table of the process: before
/// anything is unmounted or ended, since a record can name the holder of another wafer.
bool shows_view(const Inside& inside, const Wafer& wafer) {
  const auto view = view_identity(view_path_of(inside.id.pid, wafer));
  const auto table = view ? read_small_file(proc_path(inside.id.pid) + "/mountinfo") : std::nullopt;
  return table && is_mount_of(*table, view->mount_id, "overlay", view_source(wafer));
}

/// Whether the holder was started for a wafer of this name, as its command line tells.
bool has_name_of(const Inside& holder, const Wafer& wafer) {
  const auto cmdline = read_small_file(proc_path(holder.id.pid) + "/cmdline");
  const std::vector<std::string> words = split(cmdline.value_or(""), '\0');
  return words.size() > 2 && words[1] == wafer.name;
}

/// Whether `inside` keeps this wafer's view for sure. Where the upper is gone, by which one view is
/// told from another, a holder's command line has to do.
bool is_proven(const Inside& inside, const Wafer& wafer) {
  if (shows_view(inside, wafer)) return true;
  return inside.holder && !fs::exists(fs::symlink_status(wafer.upper())) &&
         has_name_of(inside, wafer);
}

/// Processes that outlived the holder of the record.
std::optional<Inside> recorded_survivor(const Wafer& wafer) {
  if (!is_of_this_boot(wafer.mount) || !wafer.mount->mnt_ns) return std::nullopt;
  // The inode may belong to another namespace by now. examine() looks at what is mounted there: it
  // can be a later mount of this wafer that no record tells of.
  auto survivor = first_inside(processes_in_mount_namespace(*wafer.mount->mnt_ns), wafer);
  return survivor && has_view(*survivor, wafer) ? std::move(survivor) : std::nullopt;
}

/// The process that keeps the view alive, by the record. A holder that lost its view doesn't.
std::optional<Inside> find_recorded(const Wafer& wafer) {
  if (auto holder = recorded_holder(wafer)) {
    if (has_view(*holder, wafer)) return holder;
    return std::nullopt;
  }
  return recorded_survivor(wafer);
}

/// The process that keeps the view alive though no record tells: wafers was killed before it could
/// save one.
std::optional<Inside> find_unrecorded(const Wafer& wafer) {
  const std::uint64_t own = own_namespace_inode(NamespaceType::mount);
  std::set<std::uint64_t> seen{own};
  std::vector<pid_t> one_of_each;
  for (const pid_t pid : all_processes()) {
    const auto mnt_ns = namespace_inode(pid, NamespaceType::mount);
    const auto stat = mnt_ns ? read_process_stat(pid) : std::nullopt;
    if (!stat) continue;
    if (is_holder(*stat) || seen.insert(*mnt_ns).second) one_of_each.push_back(pid);
  }
  return first_inside(one_of_each, wafer);
}

MountRecord record_of(const HolderReport& report) {
  MountRecord record;
  record.boot_id = boot_id();
  record.process = ProcessId{report.pid, report.start_ticks};
  record.user_ns = report.user_ns;
  record.mnt_ns = report.mnt_ns;
  record.device = report.device;
  return record;
}

MountRecord record_of(const Inside& holder, const Wafer& wafer) {
  MountRecord record;
  record.boot_id = boot_id();
  record.process = holder.id;
  record.user_ns = namespace_inode(holder.id.pid, NamespaceType::user);
  record.mnt_ns = namespace_inode(holder.id.pid, NamespaceType::mount);
  if (const auto view = view_identity(view_path_of(holder.id.pid, wafer))) {
    record.device = view->device;
  }
  return record;
}

/// Keeps what `inside` lives in: with a new holder, unless it is one itself.
MountRecord adopt(const Inside& inside, const Wafer& wafer) {
  if (inside.holder) return record_of(inside, wafer);
  const HolderJob job{.kind = HolderJob::Kind::adopt,
                      .overlay = overlay_of(wafer),
                      .directory = wafer.directory,
                      .mapped = {},
                      .own_copies = {},
                      .place = {}};
  return record_of(start_holder(wafer.name, job, inside.pidfd.get()));
}

HolderJob prepare_job(const Wafer& wafer) {
  bar_second_view(wafer.directory);
  if (!wafer.place.empty()) bar_covered_checkout(wafer.directory.parent_path());
  HolderJob job{.kind = HolderJob::Kind::mount,
                .overlay = overlay_of(wafer),
                .directory = wafer.directory,
                .mapped = {},
                .own_copies = ssh_files_of_root(ssh_config_roots()),
                .place = wafer.place};
  if (const auto newgidmap = wafer.groups.empty() ? std::nullopt : find_program("newgidmap")) {
    job.mapped = {{wafer.groups.begin(), wafer.groups.end()}, *newgidmap};
  }
  return job;
}

/// Mounts with a holder that is started for it.
MountRecord mount_by_new_holder(const Wafer& wafer) {
  const HolderJob job = prepare_job(wafer);
  std::optional<MountRecord> record;
  retry_while_in_use(wafer, [&] {
    try {
      record = record_of(start_holder(wafer.name, job, -1));
    } catch (const Error& error) {
      const auto inside = error.errnum() == EBUSY ? find_unrecorded(wafer) : std::nullopt;
      if (!inside) throw;
      record = adopt(*inside, wafer);
    }
  });
  return std::move(record).value();
}

/// As find_recorded(). A holder whose view is gone keeps nothing that is worth keeping: it is
/// ended, if it is that of this wafer.
std::optional<Inside> find_recorded_or_end(const Wafer& wafer) {
  auto holder = recorded_holder(wafer);
  if (!holder) return recorded_survivor(wafer);
  if (has_view(*holder, wafer)) return holder;
  if (shows_view(*holder, wafer) || !has_name_of(*holder, wafer)) return std::nullopt;
  kill_process(holder->pidfd.get());
  return recorded_survivor(wafer);
}

/// What makes a process an occupant.
class OccupantFilter {
 public:
  OccupantFilter(const Wafer& wafer, const Inside& inside)
      : OccupantFilter(is_here(wafer) ? ::getpid() : inside.id.pid,
                       mounts_of(inside.id.pid, wafer)) {}

  /// It lives in the wafer's namespaces, or in a sandbox that was made there.
  bool lives_inside(const Resident& resident) const {
    if (mnt_ns_ && resident.mnt_ns == mnt_ns_) return true;
    return user_ns_ && std::ranges::count(resident.user_ns, *user_ns_) > 0;
  }
  bool lives_inside(pid_t pid) const {
    const auto resident = find_resident(pid);
    return resident && lives_inside(*resident);
  }

  /// It has something of the view open, possibly from outside.
  bool reaches_in(pid_t pid) const {
    return std::ranges::any_of(mounts_, [&](const ViewMount& mount) {
      return uses_view(pid, mount.identity, mount.place);
    });
  }

 private:
  /// `pid` lives there; from inside, the holder can't be looked at.
  OccupantFilter(pid_t pid, std::vector<ViewMount> mounts)
      : user_ns_(owner_of_mount_namespace(pid)),
        mnt_ns_(namespace_inode(pid, NamespaceType::mount)),
        mounts_(std::move(mounts)) {
    // From outside, our own user namespace holds everybody.
    if (mnt_ns_ != own_namespace_inode(NamespaceType::mount) &&
        user_ns_ == own_namespace_inode(NamespaceType::user)) {
      user_ns_.reset();
    }
  }

  std::optional<std::uint64_t> user_ns_;
  std::optional<std::uint64_t> mnt_ns_;
  std::vector<ViewMount> mounts_;
};

bool is_holder_of(const Inside& inside, pid_t pid) { return inside.holder && pid == inside.id.pid; }

bool is_alive(pid_t pid) {
  const auto stat = read_process_stat(pid);
  return stat && stat->alive();
}

std::vector<Occupant> occupants_besides(const Inside& inside, const Wafer& wafer) {
  const OccupantFilter filter(wafer, inside);
  std::vector<Occupant> occupants;
  for (const pid_t pid : all_processes()) {
    if (pid == ::getpid() || is_holder_of(inside, pid)) continue;
    if ((filter.lives_inside(pid) || filter.reaches_in(pid)) && is_alive(pid)) {
      occupants.push_back(describe_occupant(pid));
    }
  }
  return occupants;
}

/// Processes that only reach in need not be looked for, which takes longer: the kernel refuses to
/// unmount.
bool somebody_lives_inside(const Inside& inside, const Wafer& wafer,
                           const std::vector<Resident>& residents) {
  const OccupantFilter filter(wafer, inside);
  return std::ranges::any_of(residents, [&](const Resident& resident) {
    const pid_t pid = resident.pid;
    // The second look is for one that has gone since, and for whoever has its pid now.
    return !is_holder_of(inside, pid) && filter.lives_inside(resident) &&
           filter.lives_inside(pid) && is_alive(pid);
  });
}

/// Unmounts in the namespace, so that the upper is free when this returns: what the kernel does
/// after the last process has ended is later, at a time that is not told. And should a process
/// have come in since we looked, the kernel says so. Nothing is left for the holder to do, which
/// SIGTERM would make it do; it is ended here, since without a view no command finds one that no
/// record names, should this process be killed meanwhile.
void unmount_and_end(const Inside& inside, const Wafer& wafer) {
  unmount_views(wafer.mountpoint, wafer.directory);
  kill_process(inside.pidfd.get());
}

std::optional<Failure> try_to_unmount(const Inside& inside, const Wafer& wafer) {
  return run_in_child([&] {
    enter_user_and_mount_of(inside.pidfd.get());
    unmount_and_end(inside, wafer);
  });
}

/// Unmounts in the namespace as well, but leaves it to a process that is not waited for to be the
/// last one that uses the view: the kernel forgets the view's files when that ends.
std::optional<Failure> try_to_unmount_for_good(const Inside& inside, const Wafer& wafer) {
  const auto run = orphans_are_reaped() ? run_in_lingering_child : run_in_child;
  return run([&] {
    enter_user_and_mount_of(inside.pidfd.get());
    try {
      keep_as_working_directory(wafer.mountpoint);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then unmounting takes its time
    }
    unmount_and_end(inside, wafer);
  });
}

using Unmount = std::optional<Failure> (*)(const Inside&, const Wafer&);

/// Ends the view by `try_it` and the process that keeps it, unless one of `residents` lives in
/// there.
void end_view(const Inside& inside, const Wafer& wafer, Unmount try_it,
              const std::vector<Resident>& residents) {
  if (somebody_lives_inside(inside, wafer, residents)) {
    throw view_is_busy(wafer, occupants_besides(inside, wafer));
  }
  const auto failure = try_it(inside, wafer);
  if (!failure) return;
  // Its holder was asked to end or killed at the same moment, and was first. EINVAL: the view isn't
  // there any more. ESRCH: the holder has given up its namespaces, and is about to be gone.
  if (failure->errnum == EINVAL || failure->errnum == ESRCH || has_ended(inside.pidfd.get()) ||
      !has_view(inside, wafer)) {
    return kill_process(inside.pidfd.get());
  }
  if (failure->errnum == EBUSY) throw view_is_busy(wafer, occupants_besides(inside, wafer));
  throw failure->error();
}

Error cannot_enter(const Wafer& wafer, const Error& cause) {
  const std::string hint = cause.errnum() == EPERM
                               ? "a wafer can be entered only from outside of other wafers and "
                                 "user namespaces, by the user who mounted it"
                               : "";
  return Error::system(cause.errnum().value_or(EPERM),
                       "cannot enter wafer " + in_quotes(wafer.name), hint);
}

std::optional<Inside> find_to_unmount(const Wafer& wafer) {
  auto inside = find_recorded_or_end(wafer);
  if (inside && may_look(*inside) && !is_proven(*inside, wafer)) inside.reset();
  const bool of_earlier_boot = wafer.mount && !is_of_this_boot(wafer.mount);
  if (!inside && !of_earlier_boot) inside = find_unrecorded(wafer);
  return inside;
}

/// The page cache of a kernel overlay is that of the upper's files, mappings included: there is
/// nothing to flush.
class NamespaceView final : public MountedView {
 public:
  NamespaceView(Wafer wafer, Inside inside)
      : wafer_(std::move(wafer)), inside_(std::move(inside)) {}

  MountState state() const override {
    MountState state;
    const pid_t pid = inside_.id.pid;
    state.status = WaferStatus::mounted;
    if (inside_.holder) state.holder_pid = pid;
    state.user_ns = proc_path(pid) + "/ns/user";
    state.mnt_ns = proc_path(pid) + "/ns/mnt";
    state.view = view_path_of(pid, wafer_);
    state.host_path = host_path_of(pid, wafer_);
    return state;
  }

  bool is_kept() const override { return inside_.holder; }

  /// Joining a user namespace grants every capability in it: none is kept.
  void enter() const override {
    if (!is_here(wafer_)) join(inside_, wafer_);
    drop_all_capabilities();
  }

 private:
  /// Of a wafer in place, where it covers the checkout; so it does until the descriptor is closed.
  /// A command that unmounts uncovers that first, and whoever came in just then would be in the
  /// checkout itself: ESRCH for him to try again.
  static UniqueFd open_place(const Inside& inside, const Wafer& wafer) {
    if (wafer.place.empty()) return {};
    const pid_t pid = inside.id.pid;
    UniqueFd fd = open_file(reached(wafer.place, pid, wafer), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const auto place = fd ? view_identity(path_of_fd(fd.get())) : std::nullopt;
    const auto view = view_identity(view_path_of(pid, wafer));
    if (place && view && place->device == view->device) return fd;
    throw Error::system(ESRCH, "cannot enter wafer " + in_quotes(wafer.name));
  }

  static void join(const Inside& inside, const Wafer& wafer) {
    // A command that unmounts may have seen no one inside: an open descriptor keeps the view.
    UniqueFd view =
        open_file(view_path_of(inside.id.pid, wafer), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!has_view(inside, wafer)) throw not_mounted(wafer);
    UniqueFd place = open_place(inside, wafer);
    std::error_code no_directory;
    const fs::path directory = fs::current_path(no_directory);
    try {
      enter_user_and_mount_of(inside.pidfd.get());
    } catch (const Error& error) {
      throw cannot_enter(wafer, error);
    }
    // setns(2) has moved us to the root. Where the directory can't be reached in there, we stay.
    if (!no_directory) fs::current_path(directory, no_directory);
    static_cast<void>(place.release());
    static_cast<void>(view.release());  // execve(2) closes it, when the process stands in the view
  }

  Wafer wafer_;
  Inside inside_;
};

class NamespaceBackend final : public Backend {
 public:
  BackendKind kind() const override { return BackendKind::namespace_; }

  /// One whose namespace was made inside of another wafer keeps that one's view, too.
  std::optional<pid_t> keeper(const Wafer& wafer) const override {
    const auto holder = recorded_holder(wafer);
    const bool for_sure =
        holder && has_name_of(*holder, wafer) &&
        parent_of_user_namespace(holder->id.pid) == own_namespace_inode(NamespaceType::user);
    return for_sure ? std::optional(holder->id.pid) : std::nullopt;
  }

  Trial trial(const fs::path& state_dir, MountMode mode) const override {
    try {
      if (!find_holder()) {
        throw Error(ErrorKind::unsupported, "the helper program wafers-holder is missing",
                    "reinstall wafers, or set WAFERS_HOLDER to its path");
      }
      const Scratch scratch(state_dir, kTrialPrefix);
      make_trial_layers(scratch.path());
      OverlaySpec spec = trial_overlay(scratch.path(), OverlayXattrs::user);
      spec.is_volatile = mode == MountMode::volatile_;
      bar_second_view(scratch.path());
      try_in_namespaces(spec, scratch.path());
      return {true, UpperDialect::kernel_user, {}, {}};
    } catch (const Error& error) {
      return trial_failed(error, hint_for_namespaces(state_dir));
    }
  }

  MountRecord mount(const Wafer& wafer) const override {
    const auto inside = find_recorded_or_end(wafer);
    if (inside && inside->holder) return *wafer.mount;
    return inside ? adopt(*inside, wafer) : mount_by_new_holder(wafer);
  }

  std::function<MountRecord()> begin_mount(const Wafer& wafer) const override {
    if (wafer.mount)
      return Backend::begin_mount(wafer);  // there may be something to be found again
    forget_volatile(wafer.work());
    const HolderJob job = prepare_job(wafer);
    const auto holder = std::make_shared<StartingHolder>(wafer.name, job, -1);
    return [this, &wafer, holder] {
      try {
        const HolderReport report = holder->wait();
        tidy_work_directory(wafer);
        return record_of(report);
      } catch (const Error& error) {
        switch (error.errnum().value_or(0)) {
          case EBUSY:
          case ESTALE:
          case EINVAL:
            break;
          default:
            throw;
        }
      }
      return mount(wafer);
    };
  }

  std::unique_ptr<MountedView> find(const Wafer& wafer) const override {
    auto inside = find_recorded(wafer);
    return inside ? std::make_unique<NamespaceView>(wafer, *std::move(inside)) : nullptr;
  }

  std::vector<Occupant> occupants(const Wafer& wafer) const override {
    const auto inside = find_recorded(wafer);
    const bool proven = inside && is_proven(*inside, wafer);
    return proven ? occupants_besides(*inside, wafer) : std::vector<Occupant>();
  }

  void unmount(const Wafer& wafer) const override {
    if (const auto inside = find_to_unmount(wafer)) {
      end_view(*inside, wafer, try_to_unmount, residents_around(wafer));
    }
  }

  /// A process that made a mount namespace in here lives in the wafer's user namespace: none has
  /// the view in another one.
  void unmount_for_good(const Wafer& wafer) const override {
    if (const auto inside = find_to_unmount(wafer)) {
      end_view(*inside, wafer, try_to_unmount_for_good, residents_around(wafer));
    }
  }

  void abandon(const Wafer& wafer) const override {
    try {
      unmount(wafer);
    } catch (const Error& error) {
      const auto inside = error.is_shortage() ? find_recorded(wafer) : std::nullopt;
      if (!inside) throw;
      kill_process(inside->pidfd.get());
    }
  }

 private:
  static void try_in_namespaces(const OverlaySpec& spec, const fs::path& scratch) {
    const auto failure = run_in_own_namespaces([&] {
      try_overlay(spec);
      close_second_place(mount_second_place(scratch));
      mount_second_view(spec.mountpoint, scratch);
    });
    if (failure) throw failure->error();
  }
};

}  // namespace

std::unique_ptr<Backend> make_namespace_backend() { return std::make_unique<NamespaceBackend>(); }

}  // namespace wafers
