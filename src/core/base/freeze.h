#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "git/repository/repository.h"

namespace wafers {

/// Writes into the empty directory `tree` exactly the tracked files of a commit, as git checks them
/// out with this repository's configuration, on all cores. `index`, which need not exist, is git's
/// index of them afterwards, with their stat data. The repository's own worktree and index are not
/// touched; a sparse checkout counts for nothing; submodules are empty directories. Filter programs
/// run as for a checkout. Throws Error(failed) with git's words, Error(unsupported) where there is
/// no git.
void write_tracked_files(const git::Repository& repository, const git::Oid& commit,
                         const std::filesystem::path& tree, const std::filesystem::path& index);

/// Lets `index` say of all files in `tree` that git has seen them as they are, for git inside views
/// over it that asks a watcher (core/inside/watcher.h): it needn't look at them even once. Nothing
/// depends on it, so that git fails is no error.
void mark_files_as_seen(const git::Repository& repository, const std::filesystem::path& tree,
                        const std::filesystem::path& index);

/// Copies into `tree` what the repository's worktree ignores and the commit of `index` doesn't
/// track: by reflink where the file system can, with hard links among them, holes, modes, times and
/// symlinks as they are. Up to the size of `wafers.freezeIgnored` (all, none, or a size; 2g) all of
/// it, beyond that what the worktree's `.worktreeinclude` (gitignore(5)) names. `tell` hears of
/// what is left out, and of what could not be copied. Throws Error(failed) where nothing more can
/// be written, and Error(usage) for a setting that is no size.
void copy_ignored_files(const git::Repository& repository, const std::filesystem::path& tree,
                        const std::filesystem::path& index,
                        const std::function<void(std::string_view)>& tell);

}  // namespace wafers
