#include "core/git_commands/carry_over.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/base/moved_content.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "git/repository/merge.h"
#include "git/text/quote.h"

namespace wafers {
namespace {

using git::Oid;
using git::Repository;

Error conflicts_in(const Wafer& wafer, const std::string& what,
                   const std::vector<std::string>& paths, const std::string& hint) {
  constexpr std::size_t kShown = 10;
  return Error(ErrorKind::refused,
               "cannot sync wafer " + in_quotes(wafer.name) + ": " + what +
                   " in conflict with what is new below:" + indented(paths, kShown),
               hint);
}

std::string taken_over(const Wafer& wafer) {
  return "; 'wafers git-sync " + wafer.name + "' takes it over then";
}

class Rebase {
 public:
  Rebase(const Wafer& wafer, Repository& repository, const Oid& onto)
      : wafer_(wafer), repository_(repository), onto_(onto), head_(onto) {}

  Oid run(const Oid& tip) {
    const auto base = Oid::from_hex(wafer_.base_commit).value_or(onto_);
    // Somebody else may have rebased it. On the way back what came in between is left out.
    if (repository_.is_descendant_or_same(onto_, base) &&
        repository_.is_descendant_or_same(tip, onto_)) {
      return tip;
    }
    for (const Oid& commit : git::commits_to_rebase(repository_, tip, onto_, base)) pick(commit);
    return head_;
  }

  std::size_t made() const noexcept { return made_; }

 private:
  void pick(const Oid& oid) {
    Repository::CommitRequest commit = repository_.request_of(oid);
    if (commit.parents.empty()) {
      throw Error(ErrorKind::refused, "branch " + in_quotes(wafer_.branch) +
                                          " has a history of its own: commit " +
                                          repository_.short_id(oid) + " has no parent");
    }
    const Oid parent = commit.parents.front();
    if (parent == head_) {
      head_ = oid;
      return;
    }
    const Oid ours = repository_.tree_of(head_);
    const bool was_empty = commit.tree == repository_.tree_of(parent);
    git::MergedTree merged = git::merge_changes(repository_, parent, ours, commit.tree);
    if (!merged.conflicts.empty()) {
      throw conflicts_in(wafer_,
                         "commit " + repository_.short_id(oid) + " (" +
                             printable(git::subject_of(commit.message)) + ") is",
                         merged.conflicts,
                         how_to_rebase(repository_, wafer_.branch, onto_) + taken_over(wafer_));
    }
    if (merged.tree == ours && !was_empty) return;  // it is there already
    commit.tree = merged.tree;
    commit.parents = {head_};
    commit.committer = repository_.identity(Repository::Role::committer);
    if (repository_.config_bool("commit.gpgSign", false)) commit.signing_key.emplace();
    head_ = repository_.write_commit(commit);
    ++made_;
  }

  const Wafer& wafer_;
  Repository& repository_;
  Oid onto_;
  Oid head_;
  std::size_t made_ = 0;
};

/// Moved or gone it is taken over.
void require_usable_branch(const Wafer& wafer, const WaferGit& git) {
  const auto trouble = branch_trouble(wafer, git, git.branch.value_or(git.tip));
  if (!trouble || trouble->gone) return;
  throw Error(ErrorKind::refused, trouble->what + ": nothing was synced", trouble->remedy);
}

/// What was taken from a moved base is what `onto` has, where that includes the move.
void refuse_foreign_content(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                            const Oid& onto) {
  const std::vector<std::string> moves = moves_seen(wafer);
  const bool all_included = std::ranges::all_of(moves, [&](const std::string& hex) {
    const auto move = Oid::from_hex(hex);
    return move && objects.holds(*move) && git.repository.is_descendant_or_same(onto, *move);
  });
  if (all_included) return;
  refuse_taken(wafer,
               taken_from_moved_base(wafer, git.repository, objects, {git.base_tree, git.tip_tree}),
               "nothing was synced");
}

/// All of the view that a commit can have.
Oid tree_of_view(const Wafer& wafer, WaferGit& git, const Oid& onto) {
  drop_doubtful_stat_data(wafer, git);
  const auto objects = git.repository.objects(git::Writes::to_database);
  const Snapshot snapshot =
      take_snapshot(snapshot_input(wafer, git, *objects, SnapshotPurpose::commit));
  require_committable(snapshot);
  if (!snapshot.unreadable.empty()) {
    throw Error(ErrorKind::refused, snapshot.unreadable.front() + ": nothing was synced",
                "make it readable, or remove it");
  }
  objects->flush();
  refuse_foreign_content(wafer, git, *objects, onto);
  return snapshot.tree;
}

/// `theirs`, which was made of the wafer's tip, on top of the tree `ours`.
Oid carried(const Wafer& wafer, WaferGit& git, const Oid& ours, const Oid& theirs,
            const std::string& what) {
  if (theirs == git.tip_tree) return ours;
  const git::MergedTree merged = git::merge_changes(git.repository, git.tip, ours, theirs);
  if (merged.conflicts.empty()) return merged.tree;
  throw conflicts_in(
      wafer, what, merged.conflicts,
      "commit them with 'wafers git-commit " + wafer.name + "', or take them back, and sync again");
}

}  // namespace

CarriedWork carry_over(const Wafer& wafer, const Oid& onto) {
  WaferGit git = open_wafer_git(wafer);
  require_usable_branch(wafer, git);
  CarriedWork work;
  work.branch = git.branch;
  work.before = {git.base_tree, tree_of_view(wafer, git, onto)};
  Rebase rebase(wafer, git.repository, onto);
  work.tip = rebase.run(git.branch.value_or(git.tip));
  work.commits = rebase.made();
  const Oid tree = git.repository.tree_of(work.tip);
  work.after = {git.repository.tree_of(onto),
                carried(wafer, git, tree, work.before.view, "uncommitted changes are")};
  work.staged = carried(wafer, git, tree, git.index_tree, "staged changes are");
  return work;
}

}  // namespace wafers
