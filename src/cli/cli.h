#pragma once

#include "cli/command_info.h"

namespace wafers::cli {

/// What runs the commands that need Git. A program that names this one links libgit2,
int run_git_command(const Command& command, const Arguments& arguments, Report& report);
/// and one that names this one doesn't: wafers-git replaces it then.
int hand_over_to_git_program(const Command& command, const Arguments& arguments, Report& report);

/// Runs one command line and returns the exit status. The only place that prints errors and knows
/// exit statuses; throws nothing.
int run(int argc, char** argv, Runner git);

}  // namespace wafers::cli
