#include "core/commands/sync.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/base/heal.h"
#include "core/base/moved_content.h"
#include "core/commands/discard.h"
#include "core/commands/opened_base.h"
#include "core/commands/unused_layers.h"
#include "core/git_commands/carry_over.h"
#include "core/git_commands/prepare.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "core/view/mount.h"
#include "core/view/mountpoint.h"
#include "os/deep_stack.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/scratch.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using git::Oid;

OpenedBase open_checkout(const Wafer& wafer, const std::optional<std::string>& onto) {
  require_checkout(wafer);
  return open_base(wafer.checkout, onto);
}

class Syncing {
 public:
  Syncing(LockedWafer& locked, const std::optional<std::string>& onto)
      : locked_(locked),
        store_(locked.store()),
        wafer_(*locked),
        target_(open_checkout(wafer_, onto)) {
    if (wafer_.has_git_inside()) target_.repository.act_for_worktree(wafer_.git_dir);
  }

  SyncResult run() {
    SyncResult result{
        wafer_.name,        wafer_.branch, starting_point(target_.repository, target_.commit),
        wafer_.last_commit, false,         0};
    if (is_there_already()) return result;
    const bool was_mounted = make_backend(wafer_.backend)->find(wafer_) != nullptr;
    unmount_and_record(locked_);
    try {
      result.commits = sync();
    } catch (...) {
      if (was_mounted) mount_again(locked_);
      throw;
    }
    if (was_mounted) mount_again(locked_);
    result.changed = true;
    result.last_commit = wafer_.last_commit;
    return result;
  }

 private:
  const Oid& onto() const { return target_.commit.oid; }

  bool is_there_already() const {
    const auto branch = target_.repository.branch_tip(wafer_.branch);
    return onto().hex() == wafer_.base_commit && branch && branch->hex() == wafer_.last_commit;
  }

  /// They lie in the wafer's own directory, which is replaced.
  void refuse_strays() const {
    if (!is_within(wafer_.mountpoint.native(), wafer_.directory.native())) return;
    const auto strays = stray_entries(wafer_);
    if (strays.empty()) return;
    throw Error(ErrorKind::refused,
                "mountpoint " + in_quotes(wafer_.mountpoint.native()) +
                    " holds files that were written outside of the view, such as " +
                    in_quotes(strays.front()),
                "move them elsewhere");
  }

  /// Returns how many commits were made anew.
  std::size_t sync() {
    refuse_strays();
    const CarriedWork work = carry_over(wafer_, onto());
    Bases bases(store_);
    const LayersBelow below = layers(bases);
    const Scratch scratch(store_.root(), kMakingPrefix);
    const fs::path made = scratch.path() / wafer_.name;
    make_directory(made, 0700);
    make_directory(made / "work", 0700);
    make_directory(made / "upper", 0700);
    on_deep_stack([&] {
      link_upper(made / "upper");
      change_upper(target_.repository, made / "upper", below, work.before, work.after)
          .write(made / "index");
    });
    take_place(synced(work, below), work, made);
    throw_away(made);
    return work.commits;
  }

  /// What is changed in it is replaced, so the files may be the same.
  void link_upper(const fs::path& to) const {
    const PlainDir top = PlainDir::open(to, "the new upper");
    const PlainDir original = PlainDir::open(wafer_.upper(), "the upper");
    TreeCopy copy(top, TreeCopy::Files::linked);
    copy.copy_all(original);
    copy.finish(original);
  }

  LayersBelow layers(Bases& bases) const {
    if (wafer_.base_kind == BaseKind::frozen) {
      return bases.frozen(target_.repository, onto(), wafer_.dialect);
    }
    LayersBelow below{{wafer_.checkout}, wafer_.dialect};
    if (onto() != target_.head) {
      below.layers.insert(below.layers.begin(),
                          bases.delta(target_.repository, below, target_.head, onto()));
    }
    return below;
  }

  Wafer synced(const CarriedWork& work, const LayersBelow& below) const {
    Wafer wafer = wafer_;
    wafer.base_commit = onto().hex();
    wafer.base_ref = target_.commit.ref;
    wafer.layers = below.layers;
    if (wafer.base_kind == BaseKind::live) wafer.checkout_commit = target_.head.hex();
    wafer.moves.clear();
    wafer.last_commit = work.tip.hex();
    wafer.branch_was = work.branch.value_or(Oid()).hex();
    const bool staged = work.staged != target_.repository.tree_of(work.tip);
    wafer.staged_tree = staged ? work.staged.hex() : std::string();
    return wafer;
  }

  void take_place(Wafer wafer, const CarriedWork& work, const fs::path& made) {
    const Wafer before = wafer_;
    store_.exchange(wafer, made);
    wafer_ = std::move(wafer);
    try {
      put_branch(wafer_, target_.repository, work.branch.value_or(Oid()), work.tip);
    } catch (...) {
      // It may be said only that the move may not last.
      if (target_.repository.branch_tip(wafer_.branch) == work.branch) {
        store_.exchange_back(before, made);
        wafer_ = before;
      }
      throw;
    }
    try {
      if (wafer_.has_git_inside()) {
        make_index_of_base(wafer_, target_.repository, work.staged);
        wafer_.staged_tree.clear();
      }
      call_own(wafer_);
      wafer_.branch_was.clear();
      locked_.save(Durability::old_or_new);
      prepare_mountpoint(wafer_);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the next command does it
    }
  }

  void throw_away(const fs::path& old) const noexcept {
    try {
      discard(store_, old, kAtOnce);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next sweep does it
    }
  }

  LockedWafer& locked_;
  const Store& store_;
  Wafer& wafer_;
  OpenedBase target_;
};

}  // namespace

SyncResult sync_wafer(const Store& store, const std::string& name,
                      const std::optional<std::string>& onto) {
  LockedWafer locked(store, name);
  refuse_unclean(*locked);
  settle_branch(locked);
  SyncResult result = Syncing(locked, onto).run();
  if (result.changed) take_away_unused_layers(store);
  return result;
}

}  // namespace wafers
