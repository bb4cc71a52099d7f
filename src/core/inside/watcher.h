#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace wafers {

// What makes `git status` inside look at what an agent has changed alone: git asks a program
// (core.fsmonitor in git-config(1), fsmonitor-watchman in githooks(5)) which paths may have changed
// since it looked last, and doesn't look at others. Over a frozen base that is what the upper and
// the delta layers hold, whatever git knew before: nothing else can differ from the base's index.
// A live base changes without a word, so there is no such program for it.

/// Its program, one of wafers' helpers.
inline constexpr const char* kWatcher = "wafers-watcher";
/// The name of a worktree's own configuration in its administrative directory
/// (gitrepository-layout(5)).
inline constexpr const char* kWorktreeConfig = "config.worktree";

/// Whether the git that prints this as its version is right where it has a watcher. Before 2.43
/// `git diff HEAD` and what is built on it (`git stash`) could take a file at which it didn't look
/// for a removed one: diff-lib.c, check_removed() judged by stat data that it hadn't.
bool heeds_watcher(std::string_view version);

/// The configuration of this worktree alone that names the program, which must be at `program`, for
/// the wafer whose state is in `directory`. Git heeds it where extensions.worktreeConfig is set
/// (git-worktree(1)). Where the program is gone, or fails, git looks at all files, as without.
std::string watcher_config(const std::filesystem::path& program,
                           const std::filesystem::path& directory);

}  // namespace wafers
