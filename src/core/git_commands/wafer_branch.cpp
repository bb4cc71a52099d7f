#include "core/git_commands/wafer_branch.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/inside/head_log.h"
#include "git/program/git_program.h"

namespace wafers {
namespace {

using git::Oid;
using git::Repository;
using How = Repository::BranchUse::How;

std::string git_at(const std::filesystem::path& worktree) {
  return "git -C " + shell_quoted(worktree.native()) + " ";
}

ProgramResult run_git(const Repository& repository, std::vector<std::string> arguments) {
  return git::run_git(repository.worktree(), std::move(arguments));
}

std::string full_name(const Wafer& wafer) { return "refs/heads/" + wafer.branch; }

std::string named(const Wafer& wafer) {
  return "branch " + in_quotes(wafer.branch) + " of wafer " + in_quotes(wafer.name);
}

BranchTrouble symbolic(const Wafer& wafer, const Repository& repository, const std::string& target,
                       const Oid& tip) {
  return {.what = named(wafer) + " was made a symbolic ref to " + in_quotes(target),
          .remedy = "make it a branch again with: " + git_in(repository) + "symbolic-ref -d " +
                    shell_quoted(full_name(wafer)) + " && " + git_in(repository) + "branch " +
                    shell_quoted(wafer.branch) + " " + tip.hex()};
}

BranchTrouble in_use(const Wafer& wafer, const Repository& repository,
                     const Repository::BranchUse& use) {
  const std::string there = git_at(use.worktree);
  std::string remedy = "leave it there first: " + there + "checkout --detach";
  if (use.how == How::rebase) {
    remedy = "finish the rebase there first, or give it up: " + there + "rebase --abort";
  }
  if (use.how == How::bisect) remedy = "end the bisect there first: " + there + "bisect reset";
  if (std::error_code error; !std::filesystem::exists(use.worktree, error)) {
    remedy = "that worktree is gone; let git forget it: " + git_in(repository) + "worktree prune";
  }
  return {.what = named(wafer) + " is checked out in " + in_quotes(use.worktree.native()),
          .remedy = std::move(remedy)};
}

BranchTrouble gone(const Wafer& wafer, const Repository& repository, const Oid& tip) {
  const auto new_name = repository.renamed_branch(wafer.branch);
  const std::string again =
      git_in(repository) + "branch " + shell_quoted(wafer.branch) + " " + tip.hex();
  if (!new_name) {
    return {
        .what = named(wafer) + " is gone", .remedy = "make it again with: " + again, .gone = true};
  }
  const bool unmoved = repository.branch_tip(*new_name) == tip;
  return {.what = named(wafer) + " was renamed to " + in_quotes(*new_name),
          .remedy = unmoved ? "give it its name back with: " + git_in(repository) + "branch -m " +
                                  shell_quoted(*new_name) + " " + shell_quoted(wafer.branch)
                            : "make it again, and keep both, with: " + again,
          .gone = true};
}

BranchTrouble moved(const Wafer& wafer, const Repository& repository, const Oid& tip,
                    const Oid& now) {
  const std::string branch = git_in(repository) + "branch ";
  const std::string name = shell_quoted(wafer.branch);
  return {
      .what = "branch " + in_quotes(wafer.branch) + " was moved from " + repository.short_id(tip) +
              " to " + repository.short_id(now) + " outside of wafers",
      .remedy =
          "'wafers git-sync " + wafer.name +
          "' takes it over, with what is not committed; or give what was done there a name, and "
          "take the branch back: " +
          branch + shell_quoted(free_branch(wafer, repository, "-outside")) + " " + name + " && " +
          branch + "-f " + name + " " + tip.hex()};
}

/// Whether any ref leads to `commit`. Where git can't tell, none does.
bool is_referenced(const Repository& repository, const Oid& commit) {
  const ProgramResult found = run_git(
      repository, {"for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit.hex()});
  return found.success() && !found.output.empty();
}

/// What `git branch -d` wants the branch to be merged to: its upstream, else HEAD.
std::string reference_of(const Wafer& wafer, const Repository& repository) {
  const ProgramResult asked =
      run_git(repository, {"for-each-ref", "--format=%(upstream)", full_name(wafer)});
  const std::string upstream(trimmed(asked.output));
  const bool is_there =
      !upstream.empty() &&
      run_git(repository, {"rev-parse", "-q", "--verify", upstream + "^{commit}"}).success();
  return is_there ? upstream : "HEAD";
}

Error not_deleted(const Wafer& wafer, const Repository& repository, const std::string& why) {
  return Error(ErrorKind::refused, "branch " + in_quotes(wafer.branch) + " " + why,
               "leave out --delete-branch, which keeps it, or merge it first: " +
                   git_in(repository) + "merge " + shell_quoted(wafer.branch));
}

}  // namespace

Repository own_repository(const Wafer& wafer) {
  Repository repository = Repository::open(wafer.checkout);
  if (wafer.has_git_inside()) repository.act_for_worktree(wafer.git_dir);
  return repository;
}

std::string free_branch(const Wafer& wafer, const Repository& repository,
                        const std::string& ending) {
  std::string name = wafer.branch + ending;
  for (int i = 2; repository.branch_tip(name); ++i) {
    name = wafer.branch + ending + "-" + std::to_string(i);
  }
  return name;
}

std::string git_in(const Repository& repository) { return git_at(repository.worktree()); }

std::optional<BranchTrouble> branch_trouble(const Wafer& wafer, const Repository& repository,
                                            const std::optional<Oid>& now, const Oid& tip) {
  if (const auto target = repository.symbolic_target(wafer.branch)) {
    return symbolic(wafer, repository, *target, tip);
  }
  if (!now) return gone(wafer, repository, tip);
  // Before where it is: git moves it back only where no worktree uses it.
  if (const auto use = repository.use_of_branch(wafer.branch)) {
    return in_use(wafer, repository, *use);
  }
  if (*now == tip) return std::nullopt;
  return moved(wafer, repository, tip, *now);
}

std::optional<BranchTrouble> head_trouble(const Wafer& wafer, const InsideHead& head) {
  const std::string inside = "wafers exec " + wafer.name + " -- git ";
  const std::string subject = "git inside wafer " + in_quotes(wafer.name);
  if (!head.unfinished.empty()) {
    const bool bisects = head.unfinished == "bisect";
    return BranchTrouble{
        .what = subject + " has begun a " + head.unfinished + " and not finished it",
        .remedy = "finish it there, or take it back: " + inside + head.unfinished +
                  (bisects ? " reset" : " --abort")};
  }
  if (head.is_on(wafer.branch)) return std::nullopt;
  return BranchTrouble{
      .what = subject + " is on " + head.described() + ", and not on " + named(wafer),
      .remedy =
          "commit with git there, or go back: " + inside + "switch " + shell_quoted(wafer.branch)};
}

std::optional<BranchTrouble> lost_tip(const Wafer& wafer, const Repository& repository,
                                      const Oid& tip) {
  const auto now = repository.branch_tip(wafer.branch);
  if (now && repository.is_descendant_or_same(*now, tip)) return std::nullopt;
  if (is_referenced(repository, tip)) return std::nullopt;
  BranchTrouble trouble = now ? moved(wafer, repository, tip, *now) : gone(wafer, repository, tip);
  const std::string name = now ? free_branch(wafer, repository, "-kept") : wafer.branch;
  trouble.what += "; no ref leads to " + repository.short_id(tip) + " any more";
  trouble.remedy = "keep its commits with: " + git_in(repository) + "branch " + shell_quoted(name) +
                   " " + tip.hex();
  return trouble;
}

void put_branch(const Wafer& wafer, Repository& repository, const Oid& was, const Oid& commit) {
  if (was == commit) return;
  const std::string message = "wafers: synced onto " +
                              repository.short_id(Oid::from_hex(wafer.base_commit).value_or(Oid()));
  if (was.is_zero()) {
    repository.create_branch(wafer.branch, commit, message);
  } else {
    repository.move_branch(wafer.branch, was, commit, message);
  }
  if (!wafer.has_git_inside()) return;
  log_in_head(wafer, repository, was, commit, repository.reflog_identity(), message);
}

std::string how_to_rebase(const Repository& repository, const std::string& branch,
                          const Oid& commit) {
  std::filesystem::path place = repository.worktree();
  place += "-rebase";
  const std::string there = shell_quoted(place.native());
  return "rebase it in a worktree of its own: " + git_in(repository) + "worktree add " + there +
         " " + shell_quoted(branch) + " && git -C " + there + " rebase " + commit.hex() + " && " +
         git_in(repository) + "worktree remove " + there;
}

void require_deletable_branch(const Wafer& wafer) {
  const Repository repository = own_repository(wafer);
  if (!repository.branch_tip(wafer.branch)) return;
  if (const auto use = repository.use_of_branch(wafer.branch)) {
    throw Error(ErrorKind::refused,
                "branch " + in_quotes(wafer.branch) + " is checked out in " +
                    in_quotes(use->worktree.native()),
                "leave out --delete-branch, which keeps it");
  }
  const std::string reference = reference_of(wafer, repository);
  const auto merged =
      run_git(repository, {"merge-base", "--is-ancestor", full_name(wafer), reference});
  if (merged.success()) return;
  throw not_deleted(wafer, repository, "is not fully merged to " + in_quotes(reference));
}

std::string delete_branch_as_git(const Wafer& wafer) {
  const Repository repository = own_repository(wafer);
  if (!repository.branch_tip(wafer.branch)) return {};
  ProgramResult deleted = run_git(repository, {"branch", "-d", "--", wafer.branch});
  if (deleted.success()) return std::string(trimmed(deleted.errors));
  throw not_deleted(wafer, repository, "was not deleted: " + printable(trimmed(deleted.errors)));
}

void require_branch(const git::Repository& repository, const Wafer& wafer) {
  if (repository.branch_tip(wafer.branch)) return;
  const auto last = git::Oid::from_hex(wafer.last_commit);
  const auto trouble = branch_trouble(wafer, repository, std::nullopt, last.value_or(git::Oid{}));
  if (trouble) throw Error(ErrorKind::failed, trouble->what, trouble->remedy);
}

}  // namespace wafers
