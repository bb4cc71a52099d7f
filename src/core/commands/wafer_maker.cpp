#include "core/commands/wafer_maker.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/commands/discard.h"
#include "core/inside/head_log.h"
#include "core/inside/registration.h"
#include "core/inside/watcher_setup.h"
#include "core/view/mountpoint.h"
#include "core/view/surrounding_wafer.h"
#include "os/clock.h"
#include "os/files.h"
#include "os/interrupt.h"
#include "os/process.h"

namespace wafers {

namespace fs = std::filesystem;

void refuse_inside(const Store& store) {
  const auto around = surrounding_wafer(store);
  if (!around) return;
  throw Error(ErrorKind::refused,
              "cannot add a wafer from inside wafer " + in_quotes(*around) +
                  ": removing that one would end what runs in the new one",
              "leave " + in_quotes(*around) + " first, or let it be added from outside");
}

void refuse_nested_base(const fs::path& worktree, const std::string& inside) {
  throw Error(ErrorKind::refused, "the base " + in_quotes(worktree.native()) + " lies inside " +
                                      inside + ": wafers can't be nested");
}

void run_until_interrupted(Plan& plan, const Notify& warn) {
  const InterruptGuard interrupts;
  try {
    plan.run(InterruptGuard::check, warn);
  } catch (const Error&) {
    // A signal from the terminal goes to the programs that a step started, too: then it is the
    // signal, and not the step that they failed in, which people want to hear of.
    InterruptGuard::check();
    throw;
  }
}

WaferMaker::WaferMaker(const Store& store, git::Repository& repository,
                       const std::vector<PlannedWafer>& planned, const NewWafers& kind)
    : store_(store),
      repository_(repository),
      planned_(planned),
      kind_(kind),
      wafers_(planned.size()) {}

std::size_t WaferMaker::index_of(const NewWafer& one) const {
  return static_cast<std::size_t>(&one - wafers_.data());
}

const std::string& WaferMaker::name_of(const NewWafer& one) const {
  return planned_.at(index_of(one)).name;
}

void WaferMaker::check_names() const {
  for (const PlannedWafer& planned : planned_) {
    if (!git::Repository::is_valid_branch_name(planned.branch)) {
      throw Error(ErrorKind::usage, "invalid branch name " + in_quotes(planned.branch));
    }
    require_free_name(planned.name);
  }
}

void WaferMaker::require_free_name(const std::string& name) const {
  const Lookup found = store_.lookup(name);
  if (!found.wafer && !found.invalid) return;
  throw NameTaken(ErrorKind::failed, "wafer " + in_quotes(name) + " exists already",
                  "choose another name, or remove it with 'wafers rm " + name + "'");
}

// --- reservations

void WaferMaker::plan_reservations(Plan& plan) {
  plan.step("take the lock", [this] { begin_reserving(); });
  for (NewWafer& one : wafers_) plan_reservation(plan, one, planned_.at(index_of(one)));
  plan.step("give the lock back", [this] { reserving_.reset(); });
}

void WaferMaker::take_lock() {
  if (!reserving_) reserving_.emplace(store_.lock_all());
}

void WaferMaker::begin_reserving() {
  take_lock();
  others_ = list_taken(store_);
  const fs::path worktree = repository_.worktree();
  for (const Taken& other : others_) {
    if (is_within(worktree.native(), other.mountpoint)) {
      refuse_nested_base(worktree, "the view of wafer " + in_quotes(other.name));
    }
  }
}

void WaferMaker::plan_reservation(Plan& plan, NewWafer& one, const PlannedWafer& planned) {
  const std::string of = " of '" + planned.name + "'";
  plan.step("check the names" + of, [this, &one, &planned] { check_and_fill(one, planned); });
  plan.step(
      "make the state" + of, [this, &one] { make_state(one); },
      [this, &one] {
        if (one.made && !one.mounted) discard(store_, one.wafer.directory, kAtOnce);
      });
  plan.step(
      "create the branch" + of, [this, &one] { make_branch(one); },
      [this, &one] { undo_branch(one); });
  plan.step(
      "register the worktree" + of, [this, &one] { register_worktree(one); },
      [&one] {
        if (!one.mounted) remove_registration(one.wafer);
      });
  plan.step(
      "make the mountpoint" + of, [this, &one] { make_mountpoint(one); },
      [&one] {
        if (!one.mounted) release_mountpoint(one.wafer);
      });
}

void WaferMaker::check_and_fill(NewWafer& one, const PlannedWafer& planned) {
  require_free_name(planned.name);  // now that no other process can take it
  // One of that name has been removed since they were listed, and holds branch and place no more.
  std::erase_if(others_, [&](const Taken& other) { return other.name == planned.name; });
  const auto existing = check_branch(planned.branch);
  one.branch_exists = existing.has_value();
  one.tip = existing ? kind_.tip_of_existing(planned.branch, *existing) : kind_.tip;
  if (existing && one.tip != *existing) one.forward_from = existing;
  check_place(planned.mountpoint, planned.name);
  Wafer& wafer = one.wafer = kind_.pattern;
  wafer.name = planned.name;
  wafer.stage = WaferStage::adding;
  wafer.branch = planned.branch;
  wafer.last_commit = one.tip.hex();
  wafer.mountpoint = planned.mountpoint;
  if (!wafer.durable) wafer.volatile_boot = boot_id();
  wafer.created_at = utc_now("%Y-%m-%dT%H:%M:%SZ");
  wafer.directory = store_.directory_of(planned.name);
  if (kind_.git_inside) wafer.git_dir = free_git_dir(repository_.common_dir(), planned.name);
  share_parents(wafer, others_);
  plan_mountpoint(wafer);
}

/// Where the branch is, if it exists.
std::optional<git::Oid> WaferMaker::check_branch(const std::string& branch) {
  const std::string name = "branch " + in_quotes(branch);
  const fs::path common_dir = repository_.common_dir();
  for (const Taken& other : others_) {
    if (other.branch != branch) continue;
    const git::BaseFiles& files = bases_.of(other.checkout);
    if (other.checkout == repository_.worktree() || files.common_dir == common_dir) {
      throw Error(ErrorKind::refused, name + " belongs to wafer " + in_quotes(other.name),
                  "choose another one with --branch");
    }
  }
  if (const auto target = repository_.symbolic_target(branch)) {
    // A commit would move that one, which may be checked out or belong to another wafer.
    throw Error(ErrorKind::refused, name + " is a symbolic ref to " + in_quotes(*target),
                "choose another one with --branch");
  }
  // Also where it doesn't exist: a first commit in that worktree would make it.
  if (const auto use = repository_.use_of_branch(branch)) {
    throw Error(ErrorKind::refused,
                name + " is checked out in " + in_quotes(use->worktree.native()),
                "choose another one with --branch");
  }
  return repository_.branch_tip(branch);
}

void WaferMaker::check_place(const fs::path& mountpoint, const std::string& name) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(ErrorKind::refused, "mountpoint " + in_quotes(mountpoint.native()) + " " + reason,
                "choose another place with --at");
  };
  for (const Taken& other : others_) {
    if (is_within(mountpoint.native(), other.mountpoint) ||
        is_within(other.mountpoint, mountpoint.native())) {
      refuse("overlaps that of wafer " + in_quotes(other.name));
    }
  }
  const bool is_default = mountpoint == default_mountpoint(store_.directory_of(name));
  if (is_within(mountpoint.native(), store_.root().native()) && !is_default) {
    refuse("lies inside the state directory");
  }
  if (is_within(store_.root().native(), mountpoint.native())) refuse("holds the state directory");
  check_mountpoint(mountpoint);
}

void WaferMaker::make_state(NewWafer& one) {
  const NewWafer& first = wafers_.front();
  one.lock = store_.create_wafer(one.wafer, &one == &first ? nullptr : &first.wafer);
  one.made = true;
}

void WaferMaker::make_branch(NewWafer& one) {
  const std::string& branch = one.wafer.branch;
  if (one.forward_from) {
    repository_.move_branch(branch, *one.forward_from, one.tip,
                            "wafers: fast-forwarded to " + kind_.tip_name);
  } else if (!one.branch_exists) {
    repository_.create_branch(branch, one.tip, "wafers: created from " + kind_.tip_name);
  } else {
    return;
  }
  one.branch_made = true;
}

void WaferMaker::undo_branch(NewWafer& one) {
  if (!one.branch_made) return;
  const std::string& branch = one.wafer.branch;
  if (one.forward_from) {
    repository_.move_branch(branch, one.tip, *one.forward_from, "wafers: taken back");
  } else {
    repository_.delete_branch(branch, one.tip);
  }
  one.branch_made = false;
}

void WaferMaker::register_worktree(NewWafer& one) {
  if (!one.wafer.has_git_inside()) return;
  complete_registration(one.wafer);
  // Without one git takes the branch's log for HEAD's.
  log_in_head(one.wafer, repository_, git::Oid(), one.tip, repository_.reflog_identity(),
              "wafers: created from " + kind_.tip_name);
  set_watcher_up(one.wafer, repository_);
}

void WaferMaker::make_mountpoint(NewWafer& one) {
  prepare_mountpoint(one.wafer);
  others_.push_back(taken_by(one.wafer));
}

// --- views

void WaferMaker::plan_views(Plan& plan) {
  for (NewWafer& one : wafers_) plan_mount(plan, one);
  for (NewWafer& one : wafers_) {
    plan.step("wait for the view of '" + name_of(one) + "'", [this, &one] { finish_mount(one); });
  }
  plan.step("write the records", [this] { publish_all(); });
  plan.step("look at the result", [this] { inspect_all(); });
}

void WaferMaker::plan_mount(Plan& plan, NewWafer& one) {
  const std::string of = " of '" + name_of(one) + "'";
  plan.step("fill the upper" + of, [this, &one] { fill_upper(one); });
  plan.step(
      "mount the view" + of, [this, &one] { begin_mount(one); }, [this, &one] { undo_mount(one); });
}

void WaferMaker::fill_upper(NewWafer& one) {
  kind_.fill_upper(one);
  if (one.wafer.durable) sync_file_system(one.wafer.upper());
}

/// While this one is mounted, the next ones are prepared.
void WaferMaker::begin_mount(NewWafer& one) {
  constexpr std::size_t kAtATime = 8;
  const std::size_t index = index_of(one);
  if (index >= kAtATime) finish_mount(wafers_[index - kAtATime]);
  noting_failure([&] { one.mounting = kind_.backend->begin_mount(one.wafer); });
}

void WaferMaker::noting_failure(const std::function<void()>& mounting) {
  try {
    mounting();
  } catch (const Error& error) {
    mount_failed_ = !error.is_shortage();
    throw;
  }
}

void WaferMaker::finish_mount(NewWafer& one) {
  if (!one.mounting) return;
  const auto mounting = std::exchange(one.mounting, nullptr);
  noting_failure([&] { one.wafer.mount = mounting(); });
  one.mounted = true;
}

void WaferMaker::undo_mount(NewWafer& one) {
  try {
    finish_mount(one);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then nothing is mounted
  }
  if (!one.mounted) return;
  kind_.backend->abandon(one.wafer);
  one.mounted = false;
}

void WaferMaker::publish_all() {
  std::vector<const Wafer*> records;
  records.reserve(wafers_.size());
  for (NewWafer& one : wafers_) {
    one.wafer.stage = WaferStage::ready;
    records.push_back(&one.wafer);
  }
  store_.save_all(records);
}

void WaferMaker::inspect_all() {
  for (const NewWafer& one : wafers_) infos_.push_back(inspect(one.wafer, bases_));
}

}  // namespace wafers
