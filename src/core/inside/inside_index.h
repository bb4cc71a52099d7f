#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/inside/git_dir.h"
#include "core/state/wafer.h"
#include "git/index/index_view.h"
#include "git/objects/object.h"
#include "git/repository/repository.h"

namespace wafers {

/// Git's index of a view with git inside, at one moment. It says what is staged there. Its stat
/// data are the agent's to write: at most a status goes by them.
class InsideIndex {
 public:
  /// Throws Error(failed) where it can't be read, and Error(refused) where it holds conflicts or is
  /// of a form that wafers doesn't read.
  InsideIndex(const Wafer& wafer, const git::Repository& repository);

  /// What git would commit of it. The objects need not be in the repository: git checks them where
  /// it has to write the tree, and the caller where the index names one that is there.
  const git::Oid& tree() const noexcept { return tree_; }

  /// All of it, as it was read; a copy in memory.
  const git::IndexView& view() const noexcept { return *view_; }

  /// Whether the file is still the one that was read. Git replaces it by rename(2).
  bool is_current() const;

  /// Makes a copy of it at `path`, with its times; none where there is no index. Throws
  /// Error(failed), and Error(busy) where it isn't the one that was read any more.
  void copy_to(const std::filesystem::path& path) const;

  const GitDir& directory() const noexcept { return directory_; }
  timespec written() const noexcept { return read_ ? read_->st_mtim : timespec{}; }

 private:
  git::Oid written_tree(const git::Repository& repository) const;

  const Wafer& wafer_;
  GitDir directory_;
  std::optional<struct stat> read_;  ///< absent where there is no index, as after `rm .git/index`
  std::optional<git::IndexView> view_;  ///< absent until it is read, in the constructor
  git::Oid tree_;
};

/// Runs git on an index that is no worktree's own, by the configuration of the checkout, and not by
/// what an agent has in its administrative directory. `worktree` is where git would look at files.
/// `input` is its standard input. Returns what it prints. Throws Error(failed) where git fails.
std::string run_on_index(const git::Repository& repository, const std::filesystem::path& index,
                         std::vector<std::string> arguments, const std::filesystem::path& worktree,
                         std::string_view input = {});

/// The tree of an index, by git, which looks for each object. As run_on_index().
git::Oid tree_of_index(const git::Repository& repository, const std::filesystem::path& index,
                       const std::filesystem::path& worktree);

/// Gives a view its first index: what git knows of the files of its base, from `base_index`, and
/// `tree` as what is staged. Throws Error(failed).
void make_inside_index(const Wafer& wafer, const git::Repository& repository,
                       const std::filesystem::path& base_index, const git::Oid& tree);

/// What the names of directories of the state directory begin with in which git works on an index.
inline constexpr std::string_view kIndexPrefix = ".index-";

}  // namespace wafers
