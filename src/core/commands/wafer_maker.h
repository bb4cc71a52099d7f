#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/commands/add_names.h"
#include "core/commands/list.h"
#include "core/state/plan.h"
#include "core/state/store.h"
#include "core/state/taken.h"
#include "core/state/wafer.h"
#include "core/view/backend.h"
#include "git/refs/head.h"
#include "git/repository/repository.h"

namespace wafers {

/// One wafer in the making.
struct NewWafer {
  Wafer wafer;
  std::optional<Lock> lock;  ///< or that of an earlier one is its lock, too
  git::Oid tip;
  bool made = false;
  bool branch_exists = false;
  std::optional<git::Oid> forward_from;   ///< where the branch is, if it is to be fast-forwarded
  bool branch_made = false;               ///< or forwarded
  std::function<MountRecord()> mounting;  ///< begun and not finished
  bool mounted = false;                   ///< and an undo could not unmount it
};

/// What the wafers are that one command makes.
struct NewWafers {
  /// The record of each of them, but for what it has of its own: name, branch, tip, places, times.
  Wafer pattern;
  const Backend* backend = nullptr;
  bool git_inside = false;
  git::Oid tip;          ///< of branches that are made
  std::string tip_name;  ///< for their reflogs
  /// The tip that a branch which exists is to have: where it is, or a descendant of that. Throws
  /// Error(refused) where it can't be a wafer's.
  std::function<git::Oid(const std::string& branch, const git::Oid& at)> tip_of_existing;
  /// Writes what the upper, which is empty, is to hold.
  std::function<void(const NewWafer&)> fill_upper;
};

/// Throws Error(refused) inside of a wafer, whose removal would end what runs in the new ones.
void refuse_inside(const Store& store);

/// Throws Error(refused): the base `worktree` lies inside of something of wafers.
[[noreturn]] void refuse_nested_base(const std::filesystem::path& worktree,
                                     const std::string& inside);

/// Plan::run() under an InterruptGuard, whose signals end it.
void run_until_interrupted(Plan& plan, const Notify& warn);

/// Makes wafers and mounts their views, as steps of a plan with their undo: all of them or none.
class WaferMaker {
 public:
  /// All of these must outlive it, and a plan of its steps must not outlive it. `kind` is complete
  /// when the first of its steps is run.
  WaferMaker(const Store& store, git::Repository& repository,
             const std::vector<PlannedWafer>& planned, const NewWafers& kind);

  /// Before anything is made: throws Error(usage) for what no branch can be called, and
  /// NameTaken.
  void check_names() const;

  /// Reserves names, branches and mountpoints under lock_all(), and makes directories and branches.
  void plan_reservations(Plan& plan);

  /// Fills the uppers, mounts the views, writes the records and looks at the result.
  void plan_views(Plan& plan);

  /// Holds lock_all() from now on. For an undo after the steps.
  void take_lock();

  const std::vector<NewWafer>& wafers() const noexcept { return wafers_; }
  /// Whether a view could not be mounted, for want of nothing that this process may have again.
  bool mount_failed() const noexcept { return mount_failed_; }
  std::vector<WaferInfo> take_infos() { return std::move(infos_); }

 private:
  void begin_reserving();
  void plan_reservation(Plan& plan, NewWafer& one, const PlannedWafer& planned);
  void plan_mount(Plan& plan, NewWafer& one);
  void begin_mount(NewWafer& one);
  void noting_failure(const std::function<void()>& mounting);
  void finish_mount(NewWafer& one);
  void undo_mount(NewWafer& one);
  void publish_all();
  void inspect_all();
  void require_free_name(const std::string& name) const;
  void check_and_fill(NewWafer& one, const PlannedWafer& planned);
  std::optional<git::Oid> check_branch(const std::string& branch);
  void check_place(const std::filesystem::path& mountpoint, const std::string& name);
  void make_state(NewWafer& one);
  void make_branch(NewWafer& one);
  void undo_branch(NewWafer& one);
  void register_worktree(NewWafer& one);
  void make_mountpoint(NewWafer& one);
  void fill_upper(NewWafer& one);
  std::size_t index_of(const NewWafer& one) const;
  const std::string& name_of(const NewWafer& one) const;

  const Store& store_;
  git::Repository& repository_;
  const std::vector<PlannedWafer>& planned_;
  const NewWafers& kind_;
  std::optional<Lock> reserving_;
  std::vector<Taken> others_;  ///< all wafers, those of this command that come earlier included
  std::vector<NewWafer> wafers_;
  bool mount_failed_ = false;
  git::BaseFilesCache bases_;
  std::vector<WaferInfo> infos_;
};

}  // namespace wafers
