#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/objects/object.h"
#include "git/text/wildmatch.h"
#include "linux/covered_checkout.h"
#include "linux/merged_dir.h"

namespace wafers {

/// Finds repositories inside the view, as git's dir.c and setup.c do (is_nonbare_repository_dir,
/// resolve_gitlink_ref): by a `.git` directory, or a `.git` file or symlink that leads to one.
/// Everything is read through the merged view, since `.git` may itself be partly in the upper.
class NestedRepoFinder {
 public:
  /// `open_root` opens the view's root anew; paths below `mountpoint` or `worktree` mean the view,
  /// and `<worktree>/.git` means `git_dir` where the view hides it. `covered`: what the view covers
  /// inside, of which a `.git` file names the path there.
  struct Places {
    std::filesystem::path upper;
    UpperDialect dialect = UpperDialect::kernel_user;
    std::vector<std::filesystem::path> layers;
    std::filesystem::path worktree;
    std::filesystem::path git_dir;
    std::filesystem::path mountpoint;
    CoveredCheckout covered = {};
  };
  explicit NestedRepoFinder(Places places);

  struct Repo {
    std::optional<git::Oid> head;  ///< the commit that is checked out; absent on an unborn branch
  };
  /// What a repository knows of its own worktree.
  struct Contents {
    git::IndexFile index;
    std::string info_exclude;
    bool has_own_excludes = false;  ///< its configuration may name a core.excludesFile
    git::LetterCase letters = git::LetterCase::sensitive;  ///< core.ignoreCase
  };
  /// Of the repository whose worktree is `dir`; absent where it has no index that can be read.
  std::optional<Contents> contents(const MergedDir& dir, const std::string& path) const;

  /// The repository whose worktree is `dir`, at `path` from the view's root; absent for an ordinary
  /// directory. A `.git` that can't be read counts as none.
  std::optional<Repo> find(const MergedDir& dir, const std::string& path) const;

 private:
  struct GitDir {
    MergedDir dir;
    std::filesystem::path path;  ///< as seen from the base's worktree
  };
  std::optional<GitDir> git_dir_of(const MergedDir& dir, const std::string& path) const;
  std::optional<MergedDir> open(const std::filesystem::path& named) const;
  MergedDir common_dir_of(const GitDir& git_dir) const;

  Places places_;
};

}  // namespace wafers
