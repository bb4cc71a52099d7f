#include "core/git_commands/salvage.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "os/clock.h"

namespace wafers {
namespace {

using git::Oid;
using git::Repository;

std::string free_ref(const Wafer& wafer, const Repository& repository) {
  const std::string wanted = "refs/wafers/removed/" + wafer.name + "/" + utc_now("%Y%m%dT%H%M%SZ");
  std::string ref = wanted;
  for (int i = 2; repository.ref(ref); ++i) ref = wanted + "-" + std::to_string(i);
  return ref;
}

/// git stash's own way: who has no name has a stash all the same (builtin/stash.c).
git::Identity committer_or_none(const Repository& repository) {
  try {
    return repository.identity(Repository::Role::committer);
  } catch (const Error&) {
    return repository.reflog_identity();
  }
}

Oid commit_of(Repository& repository, const Oid& tree, std::vector<Oid> parents,
              std::string message) {
  Repository::CommitRequest request;
  request.tree = tree;
  request.parents = std::move(parents);
  request.author = committer_or_none(repository);
  request.committer = request.author;
  request.message = std::move(message);
  return repository.write_commit(request);
}

/// A commit of all that the view has beyond the tip; the tip where that is nothing.
Oid commit_of_view(const Wafer& wafer, WaferGit& git) {
  drop_doubtful_stat_data(wafer, git);
  const auto objects = git.repository.objects(git::Writes::to_database);
  Snapshot snapshot = take_snapshot(snapshot_input(wafer, git, *objects, SnapshotPurpose::commit));
  forget_borrowing(wafer, snapshot);
  if (const std::string what = beyond_commits(snapshot); !what.empty()) {
    throw Error(ErrorKind::refused, what);
  }
  if (snapshot.tree == git.tip_tree && !has_staged(git)) return git.tip;
  objects->flush();
  std::vector<Oid> parents{git.tip};
  if (has_staged(git) && git.index_tree != snapshot.tree) {
    parents.push_back(commit_of(git.repository, git.index_tree, {git.tip},
                                "What was staged in wafer " + wafer.name + "\n"));
  }
  return commit_of(git.repository, snapshot.tree, std::move(parents),
                   "Uncommitted work of wafer " + wafer.name + ", which was removed\n");
}

std::optional<Salvage> keep(const Wafer& wafer) {
  WaferGit git = open_wafer_git(wafer);
  const Oid commit = commit_of_view(wafer, git);
  if (commit == git.tip && !lost_tip(wafer, git.repository, git.tip)) return std::nullopt;
  std::string ref = free_ref(wafer, git.repository);
  git.repository.create_ref(ref, commit, "wafers rm --force");
  const std::string branch = free_branch(wafer, git.repository, "-removed");
  return Salvage{.ref = ref,
                 .restore = git_in(git.repository) + "branch " + shell_quoted(branch) + " " + ref};
}

/// Whether there is no upper, or nothing in it but what hides the base's `.git` (`add` makes it).
bool is_untouched(const std::filesystem::path& upper) {
  std::error_code error;
  std::filesystem::directory_iterator entries(upper, error);
  if (error) return error == std::errc::no_such_file_or_directory;
  return std::all_of(begin(entries), end(entries), [](const auto& entry) {
    std::error_code unknown;
    return entry.path().filename() == ".git" &&
           entry.symlink_status(unknown).type() != std::filesystem::file_type::directory;
  });
}

}  // namespace

std::optional<Salvage> salvage(const Wafer& wafer) {
  // Git inside may hold commits without having written anything in the view.
  if (!wafer.has_git_inside() && is_untouched(wafer.upper())) return std::nullopt;
  try {
    return keep(wafer);
  } catch (const Error& error) {
    throw Error(ErrorKind::refused,
                "cannot keep the uncommitted work of wafer " + in_quotes(wafer.name) + ": " +
                    error.message(),
                "'wafers rm --force --no-salvage " + wafer.name + "' throws it away");
  }
}

}  // namespace wafers
