#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "git/repository/config.h"

namespace wafers::git {

/// Where the parts of a worktree's repository are. All paths absolute, symlinks resolved.
struct Layout {
  std::filesystem::path worktree;
  std::filesystem::path git_dir;     ///< of this worktree
  std::filesystem::path common_dir;  ///< the same, but for linked worktrees
  std::filesystem::path git_file;    ///< `.git` where that is a file, else empty
  bool linked() const { return git_dir != common_dir; }
};

/// Finds the repository that the directory `inside` belongs to, as git's setup.c does: upwards, not
/// into another file system (GIT_DISCOVERY_ACROSS_FILESYSTEM) and not past GIT_CEILING_DIRECTORIES.
/// Throws Error(failed) where there is none or it is bare.
Layout discover(const std::filesystem::path& inside);

/// Where a worktree that core.worktree names doesn't lead to this repository again when it is
/// opened by itself: a sentence that says so, and what makes it do so. Nothing for all other
/// worktrees.
std::optional<std::string> missing_way_back(const Layout& layout);

/// What git calls dubious ownership: worktree, gitdir or `.git` file of another user, and not
/// allowed by safe.directory in protected configuration. Throws Error(refused) with git's remedy.
void check_ownership(const Layout& layout);

/// Sentences about what libgit2 can't serve here: SHA-256, reftable, unknown extensions and format
/// versions. `repository_config` is common_dir's own file.
std::vector<std::string> format_problems(const Layout& layout, const Config& repository_config);

}  // namespace wafers::git
