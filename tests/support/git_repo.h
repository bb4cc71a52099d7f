#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/run.h"

namespace wafers::test {

/// Gives this process, and so every child and libgit2 in it, an environment in which git depends on
/// nothing of the machine: own empty HOME and XDG_CONFIG_HOME, no system configuration, fixed
/// identity and dates, no GIT_DIR and the like, LC_ALL=C, TZ=UTC. Idempotent; every GitRepo calls
/// it. Call it before the first use of libgit2, which looks for the configuration files only once.
void use_hermetic_git();

/// The HOME of use_hermetic_git().
std::filesystem::path hermetic_home();

/// A worktree with its repository, and the real git to work on it.
class GitRepo {
 public:
  /// Makes a repository with the unborn branch `main` in `directory`, which may exist.
  static GitRepo init(const std::filesystem::path& directory);
  /// The repository that is already in `directory`.
  explicit GitRepo(std::filesystem::path directory);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const {
    return path_ / below;
  }

  /// Runs git in the worktree; throws std::runtime_error where it fails. Returns its stdout.
  std::string git(const std::vector<std::string>& arguments, const RunOptions& options = {}) const;
  /// As git(), without the final newline.
  std::string git_line(const std::vector<std::string>& arguments) const;
  /// As git(), whatever the exit status.
  RunResult try_git(const std::vector<std::string>& arguments,
                    const RunOptions& options = {}) const;

  /// Writes a file, making its directories.
  void write(const std::filesystem::path& file, std::string_view content) const;
  /// `git add -A && git commit --allow-empty`; returns the commit.
  std::string commit_all(const std::string& message = "test") const;
  std::string head() const { return git_line({"rev-parse", "HEAD"}); }
  std::string head_tree() const { return git_line({"rev-parse", "HEAD^{tree}"}); }

 private:
  std::filesystem::path path_;
};

/// Whole files, as bytes. Both throw std::runtime_error.
void write_file(const std::filesystem::path& file, std::string_view content);
std::string read_file(const std::filesystem::path& file);

}  // namespace wafers::test
