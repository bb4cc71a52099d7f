#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/spawn.h"

namespace wafers::git {

// The git program, for what is git's own business: transports, credentials, hooks.

/// `git -C <worktree> <arguments>`, for spawn(): our standard streams, and our environment without
/// what ties git to one repository. Throws Error(unsupported) where git is not installed.
Command git_command_in(const std::filesystem::path& worktree, std::vector<std::string> arguments);

/// Runs a program in the foreground to its end: signals of the terminal reach it, and us by
/// InterruptGuard::check() once it has ended.
ExitStatus run_in_foreground(const Command& command);

}  // namespace wafers::git
