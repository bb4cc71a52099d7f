#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/state/wafer.h"
#include "core/view/bystanders.h"
#include "core/view/trial.h"

namespace wafers {

/// What is known of a wafer's mount right now.
struct MountState {
  WaferStatus status = WaferStatus::unmounted;
  std::string reason;                          ///< why broken
  std::optional<pid_t> holder_pid;             ///< namespace backend, while the holder lives
  std::optional<std::string> user_ns, mnt_ns;  ///< /proc/<pid>/ns/... of the holder or a survivor
  std::optional<std::filesystem::path> host_path;  ///< for programs outside, to be taken literally
  std::optional<std::filesystem::path> view;       ///< its mountpoint, as this process reaches it
};

/// A process that keeps a view busy.
struct Occupant {
  pid_t pid = 0;
  std::string command;  ///< printable, of 100 characters at most
  std::string note;     ///< what it is and how to end it, where that is known; printable
};

/// Error(failed) for a wafer whose view should be mounted and isn't, with how to mount it as hint.
Error not_mounted(const Wafer& wafer);

/// One line for each, indented: pid, command, note.
std::string listed(const std::vector<Occupant>& occupants);

/// A view that is mounted, as Backend::find() has found it: what was opened to find it is held, so
/// that nothing has to be looked for again. The view may go away all the same.
class MountedView {
 public:
  virtual ~MountedView() = default;

  virtual MountState state() const = 0;

  /// Whether there is what keeps it. Where processes live on without their holder, Backend::mount()
  /// gives them a new one.
  virtual bool is_kept() const { return true; }

  /// Makes the calling, single-threaded process see the view at `wafer.mountpoint`, for good. Keeps
  /// the working directory. Where that takes a namespace of the wafer's own, every capability is
  /// given up; elsewhere the process keeps the privileges that it had. Throws Error, also where the
  /// view is gone meanwhile.
  virtual void enter() const = 0;

  /// Before the upper is read: what was written through the view is in the upper's files. Throws
  /// Error(busy) as require_answer() does.
  virtual void flush() const {}

  /// Before the view is used: throws Error(busy) where there is a process that serves it and
  /// doesn't, so that its users would wait for ever.
  virtual void require_answer() const {}
};

/// The one abstract interface of core: how a view is mounted, found again, entered and unmounted.
/// Callers hold the wafer's lock for mount, adopt and unmount. Implementations keep no state of
/// their own: all that they need is in the Wafer and its MountRecord, and in /proc.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual BackendKind kind() const = 0;

  /// Mounts, uses and unmounts an overlay in a scratch directory below `state_dir`, and removes it.
  /// Throws Error where this process has run out of something, which proves nothing.
  virtual Trial trial(const std::filesystem::path& state_dir, MountMode mode) const = 0;

  /// Mounts the wafer's view, volatile where Wafer::volatile_boot is set, which must be in its
  /// record on the disk by then; `.git` must be hidden in its upper already. Returns when the view
  /// can be used. Where processes still live in an earlier namespace of the wafer, that one gets a
  /// new holder instead: an upper is never mounted twice. Throws Error and leaves nothing mounted.
  virtual MountRecord mount(const Wafer& wafer) const = 0;

  /// Before the mountpoint is looked at, where the view isn't mounted: takes away what is in the
  /// way of that look. Throws Error.
  virtual void clear_mountpoint(const Wafer& /*wafer*/) const {}

  /// Begins what mount() does, as far as that can go on by itself, for many wafers at a time. What
  /// is returned does the rest, and must be called once: without that, no record tells what is
  /// mounted. `wafer` must outlive it. A backend in which nothing goes on by itself mounts at once:
  /// an undo then mounts nothing to unmount it.
  virtual std::function<MountRecord()> begin_mount(const Wafer& wafer) const {
    return [record = mount(wafer)] { return record; };
  }

  /// The view, if it is mounted; null where it isn't. Looks, changes nothing. `wafer.mount` may be
  /// stale (reboot, reused pid, killed holder).
  virtual std::unique_ptr<MountedView> find(const Wafer& wafer) const = 0;

  /// What find() finds, as facts.
  MountState state(const Wafer& wafer) const {
    const auto view = find(wafer);
    return view ? view->state() : MountState();
  }

  /// Processes inside the view or holding files of it open, without the holder and this process.
  virtual std::vector<Occupant> occupants(const Wafer& wafer) const = 0;

  /// Unmounts and ends the holder; idempotent. Throws Error(busy), naming occupants, where
  /// processes are inside; the view is then still mounted.
  virtual void unmount(const Wafer& wafer) const = 0;

  /// As unmount(), for a view that is not needed again: occupants in other mount namespaces, whom
  /// the kernel doesn't count, are in the way as well. It may return while the kernel still forgets
  /// the view's files, 4 µs for each that was used; until then a mount() finds the upper in use.
  virtual void unmount_for_good(const Wafer& wafer) const;

  /// Unmounting asks these who is there. They must outlive this object.
  void ask(Bystanders& bystanders) { bystanders_ = &bystanders; }

  /// The process that keeps this wafer's view and does nothing else, for sure. Absent where there
  /// is none, or where it can't be told.
  virtual std::optional<pid_t> keeper(const Wafer& /*wafer*/) const { return std::nullopt; }

  /// As unmount(), for a view that no command has told of. Also where there can be no process to
  /// do it: it ends the holder, or has the server make room for it.
  virtual void abandon(const Wafer& wafer) const { unmount(wafer); }

 protected:
  std::vector<Resident> residents_around(const Wafer& wafer) const {
    return bystanders_ != nullptr ? bystanders_->residents_around(wafer.name)
                                  : Bystanders().residents_around(wafer.name);
  }

 private:
  Bystanders* bystanders_ = nullptr;
};

}  // namespace wafers
