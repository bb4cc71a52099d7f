#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

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

/// The same, read once for each base.
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
