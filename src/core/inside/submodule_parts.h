#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/state/wafer.h"
#include "git/index/index_file.h"
#include "os/plain_dir.h"

namespace wafers {

// What submodules consist of, for core/inside/submodules.h and own_submodules.h. No symlink is
// followed in a view, and nothing there is waited for.

inline constexpr const char* kModules = "modules";
inline constexpr const char* kGitFile = ".git";
inline constexpr const char* kConfig = "config";

/// Where submodules are looked for: the entries of `index`, whose paths are below `prefix`.
struct SubmoduleLevel {
  std::string prefix;  ///< "" or "directory/"
  std::filesystem::path index;
  std::filesystem::path git_dir;  ///< of the repository whose submodules they are
  std::filesystem::path own;      ///< what takes its place for the view
};

struct Submodule {
  std::string path;  ///< from the root of the view
  std::filesystem::path git_dir;
  std::filesystem::path own;
};

/// The repository of the submodule at `path`; nullopt where there is none to go on with.
using FindRepository = std::function<std::optional<std::filesystem::path>(const std::string& path)>;

/// The submodules of an index, and those in them. Throws Error(failed) for an index that is
/// damaged.
std::vector<Submodule> submodules_of(SubmoduleLevel top, git::IndexChecksum checksum,
                                     const FindRepository& find);

/// The directory at `path` in `tree`, which no symlink leads to.
std::optional<PlainDir> directory_at(const std::filesystem::path& tree, const std::string& path);

/// The content of a regular file of at most 1 MiB; nullopt where there is none.
std::optional<std::string> small_file_in(const PlainDir& directory, const std::string& name);

/// What the `.git` file of the directory at `path` in `tree` says; nullopt where there is no such
/// file.
std::optional<std::filesystem::path> git_file_in(const std::filesystem::path& tree,
                                                 const std::string& path);

/// Lets the `.git` file that is there in the wafer's upper lead to `git_dir`. Throws Error(failed).
void lead_to(const Wafer& wafer, const std::string& path, const std::filesystem::path& git_dir);

/// Takes out of a repository's configuration where its worktree is: that follows from the `.git`
/// file.
void forget_worktree(const std::filesystem::path& config);

/// Copies a directory of a repository with all that is in it. Throws Error(failed).
void copy_directory(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace wafers
