#include "core/commands/remove.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/base/heal.h"
#include "core/commands/discard.h"
#include "core/commands/unused_layers.h"
#include "core/git_commands/prepare.h"
#include "core/git_commands/status.h"
#include "core/git_commands/wafer_branch.h"
#include "core/inside/registration.h"
#include "core/state/backend_traits.h"
#include "core/view/backends.h"
#include "core/view/mount.h"
#include "core/view/mountpoint.h"
#include "git/refs/head.h"
#include "git/repository/repository.h"
#include "os/process.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

Error busy(const Wafer& wafer, const std::vector<Occupant>& occupants) {
  return Error(ErrorKind::busy,
               "processes are inside wafer " + in_quotes(wafer.name) + ":" + listed(occupants),
               "end them, or let 'wafers rm --kill " + wafer.name + "' do it");
}

using Held = std::map<pid_t, UniqueFd>;

/// Descriptors of those who are inside. A pid may go to another process before we hold on to
/// it: what is inside after that under the same pid is the process that we hold.
Held hold_occupants(const Backend& backend, const Wafer& wafer) {
  Held candidates;
  for (const Occupant& occupant : backend.occupants(wafer)) {
    if (UniqueFd fd = open_pidfd(occupant.pid)) candidates.emplace(occupant.pid, std::move(fd));
  }
  Held held;
  if (candidates.empty()) return held;
  for (const Occupant& occupant : backend.occupants(wafer)) {
    if (auto found = candidates.extract(occupant.pid)) held.insert(std::move(found));
  }
  return held;
}

/// Ends those who are inside, and those whom they start meanwhile.
void end_occupants(const Backend& backend, const Wafer& wafer) {
  constexpr int kRounds = 10;
  constexpr auto kPatience = std::chrono::seconds(3);
  for (int round = 0; round < kRounds; ++round) {
    const Held held = hold_occupants(backend, wafer);
    if (held.empty()) return;
    for (const auto& [pid, fd] : held) send_signal(fd.get(), SIGTERM);
    for (const auto& [pid, fd] : held) end_process(fd.get(), kPatience);
  }
}

/// Removes one wafer.
class Removing {
 public:
  Removing(LockedWafer wafer, const RemoveOptions& options, const Notify& warn,
           Bystanders& bystanders)
      : locked_(std::move(wafer)),
        store_(locked_.store()),
        wafer_(*locked_),
        options_(options),
        warn_(warn),
        backend_(make_backend(wafer_.backend)) {
    backend_->ask(bystanders);
  }

  RemoveResult run() {
    // In any other stage no work is in it, or its removal was decided on already.
    const bool worked_in = wafer_.stage == WaferStage::ready;
    if (worked_in) {
      settle_branch(locked_);
    } else {
      take_away_dead_locks();
    }
    const bool protects_work = worked_in && !options_.force;
    const auto view = backend_->find(wafer_);
    const bool was_mounted = view != nullptr;
    if (protects_work) {
      if (was_mounted) view->flush();
      refuse_uncommitted_work(was_mounted);
    }
    if (options_.delete_branch) require_deletable_branch(wafer_);
    if (options_.kill) end_occupants(*backend_, wafer_);
    unmount();
    if (protects_work) refuse_late_work(was_mounted);
    std::optional<Salvage> salvaged;
    if (worked_in && options_.force && options_.salvage) salvaged = keep_work(was_mounted);
    const BranchLeft left = branch_left(was_mounted);
    remove_all();
    return {wafer_.name, wafer_.branch, left, wafer_.last_commit, std::move(salvaged)};
  }

 private:
  /// Those that a command left which was killed while it made the branch, or removed it.
  void take_away_dead_locks() {
    try {
      git::Repository::open(wafer_.checkout).take_away_dead_locks(wafer_.branch);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): without a repository there is none
    }
  }

  BranchLeft branch_left(bool was_mounted) {
    const auto there = [this] {
      const git::BaseFiles files = git::read_base_files(wafer_.checkout);
      if (!files.common_dir) return BranchLeft::unknown;
      const bool found =
          git::BaseFilesCache().branch_of(wafer_.checkout, wafer_.branch).has_value();
      return found ? BranchLeft::kept : BranchLeft::gone;
    };
    const BranchLeft before = there();
    if (!options_.delete_branch || before != BranchLeft::kept) return before;
    try {
      remove_registration(wafer_);  // git deletes no branch that a worktree has checked out
      const std::string warning = delete_branch_as_git(wafer_);
      if (!warning.empty() && warn_) warn_(warning);
    } catch (const Error&) {
      if (was_mounted) mount_again(locked_);
      throw;
    }
    return BranchLeft::deleted;
  }

  void unmount() {
    try {
      backend_->unmount_for_good(wafer_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::busy) throw;
      const auto occupants = backend_->occupants(wafer_);
      if (occupants.empty()) throw;
      throw busy(wafer_, occupants);
    }
  }

  void refuse_uncommitted_work(bool mounted) {
    constexpr std::size_t kShown = 5;
    auto [work, remedy, for_a_commit] = uncommitted_work(wafer_, kShown);
    if (!mounted) {
      for (const std::string& name : stray_entries(wafer_)) {
        if (work.size() < kShown) work.push_back("?? " + (wafer_.mountpoint / name).native());
      }
    }
    if (work.empty()) return;
    throw Error(
        ErrorKind::refused,
        "wafer " + in_quotes(wafer_.name) + " holds work that is not committed:" + indented(work),
        remedy +
            (for_a_commit
                 ? ", or let 'wafers rm --force " + wafer_.name + "' keep it in a commit"
                 : ", or throw it away with 'wafers rm --force --no-salvage " + wafer_.name + "'"));
  }

  /// What those inside wrote after the first look, before they went or were ended.
  void refuse_late_work(bool was_mounted) {
    if (!was_mounted) return;
    try {
      refuse_uncommitted_work(/*mounted=*/false);
    } catch (const Error&) {
      mount_again(locked_);
      throw;
    }
  }

  std::optional<Salvage> keep_work(bool was_mounted) {
    try {
      return salvage(wafer_);
    } catch (const Error&) {
      if (was_mounted) mount_again(locked_);
      throw;
    }
  }

  /// False where there is no room for the mark.
  bool mark_as_removing() {
    wafer_.mount.reset();
    wafer_.stage = WaferStage::removing;
    try {
      locked_.save(Durability::until_crash);
      return true;
    } catch (const Error& error) {
      if (error.errnum() != ENOSPC && error.errnum() != EDQUOT) throw;
      return false;
    }
  }

  void remove_all() {
    const bool marked = mark_as_removing();
    remove_registration(wafer_);
    remove_mountpoint();
    // What makes room on a full disk must not need room: it goes in one step.
    if (!marked) return discard(store_, wafer_.directory, kAtOnce);
    // The record goes last, and at once: as long as anything is left that can't be removed, ls
    // shows it and rm can go on.
    for (const char* const part : {"mnt", "upper", "work"}) {
      if (!remove_small_tree(wafer_.directory / part, kAtOnce)) {
        return discard(store_, wafer_.directory);
      }
    }
    discard(store_, wafer_.directory, kAtOnce);
  }

  void remove_mountpoint() {
    // No other process may be making a mountpoint next to ours just now.
    const Lock lock = store_.lock_all();
    const bool in_state = is_within(wafer_.mountpoint.native(), wafer_.directory.native());
    const auto strays = in_state ? std::vector<std::string>() : stray_entries(wafer_);
    release_mountpoint(wafer_);
    if (strays.empty() || !warn_) return;
    warn_("mountpoint " + in_quotes(wafer_.mountpoint.native()) +
          " is left: it holds files that were written outside of the view, such as " +
          in_quotes(strays.front()));
  }

  LockedWafer locked_;
  const Store& store_;
  Wafer& wafer_;
  const RemoveOptions& options_;
  const Notify& warn_;
  std::unique_ptr<Backend> backend_;
};

/// The view of a wafer whose record says nothing may still be mounted at the default place. One
/// that is mounted here is also seen in the namespaces that were made since, of other wafers: these
/// are left alone.
void unmount_unknown(const InvalidEntry& entry) {
  for (const BackendTraits& traits : all_backends()) {
    Wafer guess;
    guess.name = entry.name;
    guess.backend = traits.kind;
    guess.directory = entry.path;
    guess.mountpoint = default_mountpoint(entry.path);
    const auto backend = make_backend(traits.kind);
    const bool is_here = backend->find(guess) != nullptr;
    backend->unmount(guess);
    if (is_here) return;
  }
}

RemoveResult remove_invalid(const InvalidEntry& entry, const RemoveOptions& options) {
  if (!options.force) {
    throw Error(ErrorKind::refused,
                "cannot tell whether " + in_quotes(entry.name) +
                    " holds uncommitted work: its record can't be read: " + entry.reason,
                "'wafers rm --force " + entry.name + "' removes it all the same");
  }
  unmount_unknown(entry);
  remove_tree(entry.path);
  return {.name = entry.name,
          .branch = {},
          .branch_left = BranchLeft::unknown,
          .last_commit = {},
          .salvaged = {}};
}

Bystanders holders_of(const Store& store, const std::vector<std::string>& names) {
  const std::vector<ProcessEntry> processes = list_processes();
  std::map<pid_t, std::string> keepers;
  for (const std::string& name : names) {
    const auto wafer = store.lookup(name).wafer;
    const auto pid = wafer ? make_backend(wafer->backend)->keeper(*wafer) : std::nullopt;
    if (pid) keepers.insert({*pid, name});
  }
  return {processes, keepers};
}

}  // namespace

Remover::Remover(const Store& store, const std::vector<std::string>& names,
                 const RemoveOptions& options, Notify warn)
    : store_(store), options_(options), warn_(std::move(warn)) {
  sweep(store_);
  constexpr std::size_t kFew = 10;  // for which it takes longer than it saves
  if (names.size() < kFew) return;
  bystanders_ = holders_of(store, names);
}

Remover::~Remover() {
  if (had_shared_layers_) take_away_unused_layers(store_);
}

RemoveResult Remover::remove(const std::string& name) {
  if (const Lookup found = store_.lookup(name);
      found.invalid && !std::filesystem::is_directory(found.invalid->path)) {
    return remove_invalid(*found.invalid, options_);  // a file has no lock in it
  }
  Lock lock = store_.lock(name);
  Lookup found = store_.lookup(name);
  if (found.invalid) return remove_invalid(*found.invalid, options_);
  LockedWafer wafer(store_, std::move(lock), std::move(found.wafer).value());
  return remove_locked(std::move(wafer));
}

bool Remover::remove_unfinished(const std::string& name) {
  Lock lock = store_.lock(name);
  auto found = store_.lookup(name).wafer;
  if (!found || found->stage == WaferStage::ready) return false;
  remove_locked(LockedWafer(store_, std::move(lock), *std::move(found)));
  return true;
}

RemoveResult Remover::remove_locked(LockedWafer wafer) {
  const bool shared = wafer->layers.front() != wafer->checkout;
  RemoveResult result = Removing(std::move(wafer), options_, warn_, bystanders_).run();
  had_shared_layers_ = had_shared_layers_ || shared;
  return result;
}

}  // namespace wafers
