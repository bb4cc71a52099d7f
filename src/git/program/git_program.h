#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/spawn.h"

namespace wafers::git {

// The git program, for what is git's own business: transports, credentials, hooks.

/// This process's environment without the variables that tie git to one repository, of those that
/// `git rev-parse --local-env-vars` lists. Configuration given in the environment stays: wafers
/// heeds it as well.
std::vector<std::string> environment_without_repository();

/// Takes out of this process's environment all that belongs to one repository, configuration as
/// well: for a program that works in another one.
void clear_repository_variables() noexcept;

/// Runs `argv`, found on PATH, in `directory` with `input` as its standard input, and with
/// environment_without_repository() and the assignments `variables`, to its end. `meanwhile`, where
/// there is one, is done while it runs. A program that isn't found gives status 127, as in a shell.
/// Throws Error(failed) where it can't be started, and what `meanwhile` throws.
ProgramResult run_program(const std::vector<std::string>& argv,
                          const std::filesystem::path& directory, std::string_view input,
                          const std::vector<std::string>& variables = {},
                          const std::function<void()>& meanwhile = {});

/// As run_program(), of git with these arguments. Throws Error(unsupported) where it is not
/// installed.
ProgramResult run_git(const std::filesystem::path& directory, std::vector<std::string> arguments,
                      const std::vector<std::string>& variables = {},
                      const std::function<void()>& meanwhile = {});

/// The words of a command line as git splits the ones that it gives to no shell (alias.c:
/// split_cmdline): at blanks, with '...', "..." and \x as in a shell. Throws Error(failed) where a
/// quote isn't closed.
std::vector<std::string> split_command_line(std::string_view line);

/// `git -C <worktree> <arguments>`, for spawn(): our standard streams, and our environment without
/// what ties git to one repository. Throws Error(unsupported) where git is not installed.
Command git_command_in(const std::filesystem::path& worktree, std::vector<std::string> arguments);

/// Runs a program in the foreground to its end: signals of the terminal reach it, and us by
/// InterruptGuard::check() once it has ended.
ExitStatus run_in_foreground(const Command& command);

/// The same for git that prints for us: returns the signal that ended it, if one did (SIGPIPE where
/// its reader went away). Throws Error(failed) where it failed, of which it has told; `name` is
/// what it is called then.
std::optional<int> show_in_foreground(const Command& command, const std::string& name);

}  // namespace wafers::git
