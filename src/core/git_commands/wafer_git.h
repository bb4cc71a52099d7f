#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/git_commands/wafer_branch.h"
#include "core/inside/inside_head.h"
#include "core/inside/inside_index.h"
#include "core/snapshot/snapshot.h"
#include "core/state/wafer.h"
#include "git/index/index_file.h"
#include "git/repository/repository.h"

namespace wafers {

/// One wafer's place in its base repository, as commit, status and diff need it.
struct WaferGit {
  git::Repository repository;
  git::Oid base_tree;
  std::filesystem::path base_index;  ///< as SnapshotInput has it
  git::Oid tip;                      ///< the branch's commit as far as it is wafers' doing
  git::Oid tip_tree;
  /// What git would have in its index: the tip's tree, or what git-add has staged. The tip's too
  /// where that is no longer in the repository (git prunes what no ref reaches after two weeks).
  git::Oid index_tree;
  std::optional<git::Oid> branch;            ///< where the branch really is, if it is there
  std::optional<git::IndexFile> stat_cache;  ///< of the latest commit or attached branch
  std::optional<git::IndexFile> seen;        ///< of the latest status or diff
  // With git inside, HEAD there is the tip, and its index says what is staged.
  std::optional<InsideHead> head;
  std::optional<InsideIndex> inside;
};

/// Throws Error(failed) where the wafer's checkout was moved, removed or unmounted, with the way
/// out.
void require_checkout(const Wafer& wafer);

/// own_repository(). Throws as require_checkout(), too.
git::Repository open_repository(const Wafer& wafer);

/// Opens the base repository and looks where the branch is. A branch at the wafer's pending commit
/// was moved there by a command that died before it could note so: that commit is the tip then.
/// Throws Error(failed) where the repository or one of the commits is gone.
WaferGit open_wafer_git(const Wafer& wafer);

/// What keeps a commit on top of `tip` from the wafer's branch: as branch_trouble() of
/// wafer_branch.h, and with git inside, that its HEAD is elsewhere, or that it has begun something.
std::optional<BranchTrouble> branch_trouble(const Wafer& wafer, const WaferGit& git,
                                            const git::Oid& tip);

/// Git's index of the lowest layer's files.
std::filesystem::path base_index_of(const Wafer& wafer, const git::Repository& repository);

/// make_inside_index() of what git knows of the lowest layer's files.
void make_index_of_base(const Wafer& wafer, const git::Repository& repository,
                        const git::Oid& tree);

/// Whether something is staged.
inline bool has_staged(const WaferGit& git) { return git.index_tree != git.tip_tree; }

/// Where an agent can change a file and leave its times as they are, whenever that was read, stat
/// data prove nothing: drops them from `git`, and says whether that is so.
bool drop_doubtful_stat_data(const Wafer& wafer, WaferGit& git);

/// What take_snapshot() is to be told about this wafer; `paths` as clean_paths() gives them. The
/// other arguments must outlive it.
SnapshotInput snapshot_input(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                             SnapshotPurpose purpose, std::vector<std::string> paths = {});

/// The paths of what isn't committed: staged against the tip, and the view against what is staged,
/// each untracked file included. Takes no lock; flushes the view.
std::set<std::string> uncommitted_paths(const Wafer& wafer, const WaferGit& git,
                                        git::ObjectStore& objects);

/// Writes the wafer's private index. What it stands for is done already, and one that can't be
/// written only costs time later: `warnings` gets why.
void write_index(const Wafer& wafer, const git::IndexFile& index,
                 std::vector<std::string>& warnings);

/// Keeps what a snapshot of the whole view has seen, so that the next one need not read it again.
/// Where that can't be done the next one reads it. The caller holds the wafer's lock.
void remember_seen(const Wafer& wafer, const Snapshot& snapshot) noexcept;

/// Paths from the command line in SnapshotInput's form; empty where "." asks for everything. Throws
/// Error(usage) for an empty or absolute one, and for "..".
std::vector<std::string> clean_paths(const std::vector<std::string>& paths);

/// Throws Error(failed) if git would refuse to add what the snapshot found.
void require_committable(const Snapshot& snapshot);

/// Takes from Snapshot::repositories those of submodules that hold nothing which the checkout's
/// haven't, too.
void forget_borrowing(const Wafer& wafer, Snapshot& snapshot);

/// The first thing in the view that no commit of this repository can have, in words; empty where
/// there is none.
std::string beyond_commits(const Snapshot& snapshot);

/// Throws Error(usage) for the first of `unmatched`.
void require_matched(const std::vector<std::string>& unmatched);

}  // namespace wafers
