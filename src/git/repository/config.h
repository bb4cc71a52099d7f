#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/objects/handle.h"
#include "git/text/config_text.h"

namespace wafers::git {

/// Git's configuration, weakest setting first, as git-config(1) orders files and environment:
/// system, global (XDG, then ~/.gitconfig), repository, worktree, GIT_CONFIG_COUNT and
/// GIT_CONFIG_PARAMETERS. All conditions of includeIf count; hasconfig:remote.*.url only in these
/// files themselves, not in what they include. HOME and its like are looked at anew each time.
class Config {
 public:
  /// Only what a repository can't change: what git calls protected configuration.
  static Config open_protected();
  /// `repository` is asked by includeIf conditions. `worktree_config` is empty where
  /// extensions.worktreeConfig is not set.
  static Config open(git_repository* repository, const std::filesystem::path& common_dir,
                     const std::filesystem::path& worktree_config);
  /// One file, without what it includes: extensions.*, core.bare and `.gitmodules`, as git reads
  /// them. Empty where there is none; throws Error(failed) where it is malformed.
  static Config open_file(const std::filesystem::path& file);

  /// The strongest setting of `key`, or null. Section and name in any letter case.
  const Setting* find(std::string_view key) const;
  std::optional<std::string> get(std::string_view key) const;
  /// Throws Error(failed) where the value is no boolean.
  bool get_bool(std::string_view key, bool otherwise) const;
  const std::vector<Setting>& settings() const noexcept { return settings_; }

  /// libgit2's view of the same files, for what libgit2 looks up itself; null after open_file().
  git_config* handle() const noexcept { return handle_.get(); }

 private:
  void add_file(const std::filesystem::path& file, git_config_level_t level,
                git_repository* repository);
  void add_user_files(git_repository* repository);
  void read_files();
  void include_by_remote_url();
  static std::vector<Setting> settings_with_includes(const std::filesystem::path& file);
  void read_environment();

  /// An `includeIf` with a condition that libgit2 doesn't know.
  struct Include {
    std::size_t position = 0;         ///< of its setting
    std::filesystem::path directory;  ///< of the file that has it
  };

  ConfigHandle handle_;
  std::map<int, std::filesystem::path> files_;  ///< by libgit2's level
  std::vector<Setting> settings_;
  std::vector<Include> remote_url_includes_;
};

/// "~/x" with $HOME, "~user/x" with that user's home; everything else unchanged.
std::string expand_home(const std::string& path);

/// The words of GIT_CONFIG_PARAMETERS: 'key=value' or 'key'='value', quoted for the shell.
/// Throws Error(failed) where it is malformed.
std::vector<Setting> parse_config_parameters(std::string_view text);

}  // namespace wafers::git
