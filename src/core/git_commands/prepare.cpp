#include "core/git_commands/prepare.h"

#include <utility>

#include "base/error.h"
#include "core/base/heal.h"
#include "core/git_commands/commit.h"
#include "core/git_commands/diff.h"
#include "core/git_commands/restore.h"
#include "core/git_commands/stage.h"
#include "core/git_commands/status.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/inside/index_change.h"
#include "core/inside/inside_index.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "core/view/left_inside.h"
#include "core/view/mount.h"
#include "git/program/git_program.h"
#include "git/refs/head.h"
#include "git/refs/lock_file.h"
#include "git/repository/repository.h"
#include "os/interrupt.h"

namespace wafers {
namespace {

/// Of a commit that was about to move the branch.
void settle_pending_commit(Wafer& wafer, const std::optional<git::Oid>& tip) {
  if (tip && tip->hex() == wafer.pending_commit) {
    wafer.last_commit = wafer.pending_commit;
    wafer.staged_tree = wafer.pending_staged_tree;
  }
  wafer.pending_commit.clear();
  wafer.pending_staged_tree.clear();
}

/// Of a sync that was about to.
void settle_pending_move(Wafer& wafer, git::Repository& repository,
                         const std::optional<git::Oid>& tip) {
  const auto was = git::Oid::from_hex(wafer.branch_was);
  const auto wanted = git::Oid::from_hex(wafer.last_commit);
  if (was && wanted && tip.value_or(git::Oid()) == *was) {
    put_branch(wafer, repository, *was, *wanted);
  }
  wafer.branch_was.clear();
}

/// The branch has moved, and git inside may not have what belongs to it in its index.
void settle_index(const Wafer& wafer, const git::Repository& repository, const git::Oid& tip) {
  const auto staged = git::Oid::from_hex(wafer.pending_staged_tree);
  const InsideIndex index(wafer, repository);
  if (index.tree().hex() != wafer.staged_tree) return;
  IndexChange(wafer, repository, index, staged ? *staged : repository.tree_of(tip)).commit();
}

/// With git inside: that moves the branch as well. The repository isn't opened for nothing.
void settle_inside(LockedWafer& locked) {
  Wafer& wafer = *locked;
  git::take_away_dead_lock(wafer.git_dir / "index");
  if (wafer.pending_commit.empty() && wafer.branch_was.empty()) {
    const auto tip = git::BaseFilesCache().branch_of(wafer.checkout, wafer.branch);
    if (tip) wafer.last_commit = *tip;
    return;
  }
  auto repository = open_repository(wafer);
  repository.take_away_dead_locks(wafer.branch);
  if (!wafer.branch_was.empty()) {
    settle_pending_move(wafer, repository, repository.branch_tip(wafer.branch));
    const auto staged = git::Oid::from_hex(wafer.staged_tree);
    const auto commit = git::Oid::from_hex(wafer.last_commit).value();
    make_index_of_base(wafer, repository, staged ? *staged : repository.tree_of(commit));
  }
  const auto tip = repository.branch_tip(wafer.branch);
  if (tip && tip->hex() == wafer.pending_commit) settle_index(wafer, repository, *tip);
  if (tip) wafer.last_commit = tip->hex();
  wafer.pending_commit.clear();
  wafer.pending_staged_tree.clear();
  wafer.staged_tree.clear();
  locked.save();
}

/// The commit is made: where that can't be noted, or is lost in a crash of the host, what was noted
/// before says what to look for.
void note_commit(LockedWafer& wafer, std::vector<std::string>& warnings) {
  // Where git inside doesn't have it in its index yet, the record goes on calling it pending.
  if (wafer->has_git_inside() && !wafer->staged_tree.empty()) return;
  wafer->last_commit = std::exchange(wafer->pending_commit, {});
  try {
    wafer.save(Durability::old_or_new);
  } catch (const Error& error) {
    warnings.push_back(error.message() + "; the commit is made, and the next command notes it");
  }
}

enum class Use { look, write };

/// The wafer, ready for its upper to be read, and for that to become part of the repository where
/// `use` says so.
LockedWafer prepare(const Store& store, const std::string& name, Use use) {
  LockedWafer wafer(store, name);
  if (use == Use::write) refuse_unclean(*wafer);
  if (const auto view = make_backend(wafer->backend)->find(*wafer)) view->flush();
  settle_branch(wafer);
  return wafer;
}

}  // namespace

void settle_branch(LockedWafer& locked) {
  Wafer& wafer = *locked;
  const bool is_settled = wafer.pending_commit.empty() && wafer.branch_was.empty();
  if (is_settled && !wafer.has_git_inside()) return;
  try {
    if (wafer.has_git_inside()) return settle_inside(locked);
    auto repository = git::Repository::open(wafer.checkout);
    repository.take_away_dead_locks(wafer.branch);
    const auto tip = repository.branch_tip(wafer.branch);
    if (!wafer.pending_commit.empty()) settle_pending_commit(wafer, tip);
    if (!wafer.branch_was.empty()) settle_pending_move(wafer, repository, tip);
    locked.save();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the next command finds the same out
  }
}

CommitResult git_commit(const Store& store, const std::string& name, const CommitRequest& request) {
  LockedWafer wafer = prepare(store, name, Use::write);
  const LeftInside left(*wafer);
  const auto about_to_move = [&](const std::string& commit) {
    wafer->pending_commit = commit;
    wafer.save();
  };
  CommitResult result =
      commit_view(*wafer, request, about_to_move, [&] { mount_and_record(wafer, heal); });
  note_commit(wafer, result.warnings);
  return result;
}

StageResult git_add(const Store& store, const std::string& name, const StageRequest& request) {
  LockedWafer wafer = prepare(store, name, Use::write);
  const LeftInside left(*wafer);
  return stage_paths(*wafer, request, [&] { wafer.save(); });
}

StageResult git_add_patch(const Store& store, const std::string& name,
                          const StageRequest& request) {
  LockedWafer wafer = prepare(store, name, Use::write);
  const LeftInside left(*wafer);
  mount_and_record(wafer, heal);
  return stage_patches(*wafer, request, [&] { wafer.save(); });
}

void git_restore(const Store& store, const std::string& name, const std::vector<std::string>& paths,
                 Restored what) {
  LockedWafer wafer = prepare(store, name, Use::write);
  const LeftInside left(*wafer);
  if (what == Restored::staged) {
    return restore_staged(*wafer, paths, [&] { wafer.save(); });
  }
  mount_and_record(wafer, heal);
  restore_view(*wafer, paths);
}

NamedStatus git_status(const Store& store, const std::string& name) {
  const LockedWafer wafer = prepare(store, name, Use::look);
  const LeftInside left(*wafer);
  return {wafer->branch, status_of_view(*wafer)};
}

std::optional<int> git_diff(const Store& store, const std::string& name,
                            const DiffRequest& request) {
  std::optional<DiffProgram> diff;
  {
    const LockedWafer wafer = prepare(store, name, Use::look);
    const LeftInside left(*wafer);
    diff.emplace(*wafer, request);
  }
  if (diff->shows_less()) {
    store.tell("nothing is committed yet: 'wafers git-diff " + name +
               " --uncommitted' shows what is in the view");
  }
  return git::show_in_foreground(diff->command(), "git diff");
}

}  // namespace wafers
