#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/git_commands/types.h"
#include "core/git_commands/wafer_git.h"
#include "core/state/wafer.h"
#include "git/index/index_file.h"
#include "git/repository/repository.h"

namespace wafers {

// What `git-add` has staged is a tree: the one that `git write-tree` would make of git's index. The
// wafer's record names it, so that it changes in one step with the tip; the private index in git's
// format is made from it, for git to read.

/// `git add -- <paths>`: what the view has at `paths` (new, changed and deleted files) is staged on
/// top of what is staged already, its objects are in the database, Wafer::staged_tree says so, and
/// `save` has been called to write that down. Throws as git_add() does, and what `save` throws. The
/// caller holds the wafer's lock and has flushed the view.
StageResult stage_paths(Wafer& wafer, const StageRequest& request,
                        const std::function<void()>& save);

/// `git add --patch -- <paths>`, by git in the view, which asks on our standard streams: what it
/// has staged then is. The view is mounted.
StageResult stage_patches(Wafer& wafer, const StageRequest& request,
                          const std::function<void()>& save);

/// Makes `tree`, whose objects are in the database, what is staged: in the record, which `save`
/// writes down, or in the index of git inside. Throws what `save` throws, and as IndexChange.
void note_staged(Wafer& wafer, const WaferGit& git, const git::Oid& tree,
                 const std::function<void()>& save);

/// `tree` as Wafer::staged_tree has it: empty where nothing is staged on top of `tip_tree`.
std::string staged_tree_of(const git::Oid& tree, const git::Oid& tip_tree);

/// Whether `tree` has a file or directory at `path`, as clean_paths() gives it.
bool tree_has(git::ObjectStore& objects, git::Oid tree, const std::string& path);

/// `onto` with what `from` has at `paths` (as clean_paths() gives them) instead of its own.
git::Oid tree_with_paths_of(git::ObjectStore& objects, const git::Oid& onto, const git::Oid& from,
                            const std::vector<std::string>& paths);

/// Marks the entries skip-worktree and assume-unchanged that are so in `base_index`, and are still
/// what it has: a hook's `git add -u` must stay away from them, too. Throws Error(failed) for one
/// that can't be read.
void copy_marks(const std::filesystem::path& base_index, git::IndexFile& index);

/// All of `tree` as git's index would have it. Stat data comes from `known`, from the wafer's stat
/// cache and from the base's own index: git reads the files of which there is none. Costs as much
/// as the tree has entries.
git::IndexFile full_index(const WaferGit& git, git::ObjectStore& objects, const git::Oid& tree,
                          const git::IndexFile& known);

}  // namespace wafers
