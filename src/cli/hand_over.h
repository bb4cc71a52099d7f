#pragma once

namespace wafers {

/// Replaces this process by wafers-git, which knows all commands, with the same arguments. Throws
/// Error where that is missing or can't be run.
[[noreturn]] void execute_git_program(char** argv);

}  // namespace wafers
