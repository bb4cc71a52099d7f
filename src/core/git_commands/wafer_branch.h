#pragma once

#include <optional>
#include <string>

#include "core/inside/inside_head.h"
#include "core/state/wafer.h"
#include "git/repository/repository.h"

namespace wafers {

/// The repository of a wafer, in whose name its branch is moved. Throws as Repository::open().
git::Repository own_repository(const Wafer& wafer);

/// What was done outside of wafers to the branch of a wafer, so that a commit would lose another's
/// work or has nowhere to go.
struct BranchTrouble {
  std::string what;    ///< one line
  std::string remedy;  ///< for a hint: git commands after which it is over and no commit is lost
  bool gone = false;   ///< there is no such branch
};

/// nullopt where the branch is at `tip`, the commit that wafers left it at, and no worktree uses
/// it. `now` is where it was found. Throws Error(failed) where its ref can't be read.
std::optional<BranchTrouble> branch_trouble(const Wafer& wafer, const git::Repository& repository,
                                            const std::optional<git::Oid>& now,
                                            const git::Oid& tip);

/// With git inside: that its HEAD isn't on the wafer's branch, or that it has begun what a commit
/// would break.
std::optional<BranchTrouble> head_trouble(const Wafer& wafer, const InsideHead& head);

/// Where `tip` is in nothing that a ref of the repository leads to: what happened to the branch,
/// and how to keep the commit. Asks git, unless the branch itself has it.
std::optional<BranchTrouble> lost_tip(const Wafer& wafer, const git::Repository& repository,
                                      const git::Oid& tip);

/// Throws Error(failed) where the wafer's branch is gone, with the way to have it back.
void require_branch(const git::Repository& repository, const Wafer& wafer);

/// Has the wafer's branch at `commit`, which is made where it `was` nowhere (all zero). Throws as
/// Repository::move_branch() and create_branch().
void put_branch(const Wafer& wafer, git::Repository& repository, const git::Oid& was,
                const git::Oid& commit);

/// Commands for a shell after which the branch is rebased onto `commit`, in a worktree of its own:
/// in the checkout it would be left checked out.
std::string how_to_rebase(const git::Repository& repository, const std::string& branch,
                          const git::Oid& commit);

/// Throws Error(refused) where `git branch -d` would not delete the wafer's branch.
void require_deletable_branch(const Wafer& wafer);

/// `git branch -d`; nothing where there is no such branch. Returns what git warns of. Throws
/// Error(refused) with git's words where git refuses.
std::string delete_branch_as_git(const Wafer& wafer);

/// A branch name that is free, for what was done to the wafer's branch or for its commits: the
/// branch's own with `ending`, and a number where that is taken.
std::string free_branch(const Wafer& wafer, const git::Repository& repository,
                        const std::string& ending);

/// `git -C <worktree> `, to be pasted into a shell.
std::string git_in(const git::Repository& repository);

}  // namespace wafers
