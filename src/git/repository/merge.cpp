#include "git/repository/merge.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"

namespace wafers::git {
namespace {

/// For git, which merges commits: no ref leads to it.
Oid commit_of(Repository& repository, const Oid& tree, const Oid& parent) {
  Repository::CommitRequest request;
  request.tree = tree;
  request.parents = {parent};
  request.author = {"wafers", "wafers", 0, 0};
  request.committer = request.author;
  return repository.write_commit(request);
}

}  // namespace

MergedTree merge_changes(Repository& repository, const Oid& ancestor, const Oid& ours,
                         const Oid& theirs) {
  if (ours == repository.tree_of(ancestor)) return {theirs, {}};
  constexpr int kConflicts = 1;
  constexpr int kWrongUsage = 129;
  const ProgramResult result =
      run_git(repository.worktree(), {"merge-tree", "--write-tree", "-z", "--name-only",
                                      "--no-messages", commit_of(repository, ours, ancestor).hex(),
                                      commit_of(repository, theirs, ancestor).hex()});
  if (result.status == kWrongUsage) {
    throw Error(ErrorKind::unsupported, "this git can't merge without a worktree",
                "install git 2.38 or newer");
  }
  std::vector<std::string> fields = split(result.output, '\0');
  const auto tree = fields.empty() ? std::nullopt : Oid::from_hex(fields.front());
  const bool merged = result.success() || result.status == kConflicts;
  if (!merged || !tree) {
    throw Error(ErrorKind::failed, "git can't merge: " + printable(trimmed(result.errors)));
  }
  if (result.success()) return {*tree, {}};
  fields.erase(fields.begin());
  std::erase(fields, "");
  return {*tree, std::move(fields)};
}

std::vector<Oid> commits_to_rebase(const Repository& repository, const Oid& tip, const Oid& onto,
                                   const Oid& base) {
  const ProgramResult result =
      run_git(repository.worktree(),
              {"rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick",
               "--right-only", onto.hex() + "..." + tip.hex(), "^" + base.hex(), "--"});
  if (!result.success()) {
    throw Error(ErrorKind::failed,
                "cannot list the commits of the branch: " + printable(trimmed(result.errors)));
  }
  std::vector<Oid> commits;
  for (const std::string& line : split(result.output, '\n')) {
    if (const auto oid = Oid::from_hex(line)) commits.push_back(*oid);
  }
  return commits;
}

}  // namespace wafers::git
