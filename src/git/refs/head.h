#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wafers::git {

inline constexpr const char* kHead = "HEAD";

/// Whether git takes the directory for a repository's (setup.c: is_git_directory()).
bool is_git_directory(const std::filesystem::path& directory);

/// Where a gitdir's `commondir` file points, else the gitdir itself.
std::filesystem::path common_dir_of(const std::filesystem::path& git_dir);

/// What can be read of a base repository without libgit2, which costs more than all of `ls`.
struct BaseFiles {
  bool exists = false;                              ///< the worktree's directory is there
  std::optional<std::filesystem::path> common_dir;  ///< shared by all worktrees of the repository
  std::optional<std::string> head;                  ///< commit at HEAD, hexadecimal
};

/// Reads `<worktree>/.git` (or the directory that it points to), HEAD, loose refs and packed-refs:
/// gitrepository-layout(5). What can't be read or has another form is absent.
BaseFiles read_base_files(const std::filesystem::path& worktree);

/// One move of HEAD.
struct HeadMove {
  std::string commit;   ///< where it went, hexadecimal
  std::int64_t at = 0;  ///< seconds since the epoch; 0 where that isn't known
};

/// Where HEAD of a worktree has been since it was at `commit`, the oldest first, by its reflog; at
/// least `head`, where it is now. Empty where that is `commit`.
std::vector<HeadMove> head_moves_since(const std::filesystem::path& worktree,
                                       const std::string& commit, const std::string& head);

/// read_base_files(), once for each base.
class BaseFilesCache {
 public:
  const BaseFiles& of(const std::filesystem::path& worktree);
  /// The commit at a branch, hexadecimal; nullopt where there is none, or it can't be read.
  std::optional<std::string> branch_of(const std::filesystem::path& worktree,
                                       const std::string& branch);

 private:
  const std::string& packed_refs(const std::filesystem::path& common_dir);

  std::map<std::filesystem::path, std::string> packed_;
  std::map<std::filesystem::path, BaseFiles> known_;
};

}  // namespace wafers::git
