#pragma once

#include "cli/command_info.h"

namespace wafers::cli {

/// What needs Git. A program that names this one links libgit2,
extern const GitParts kOwnGit;
/// and one that names this one doesn't: wafers-git replaces it where Git is needed.
extern const GitParts kGitOfAnotherProgram;

/// Runs one command line and returns the exit status. The only place that prints errors and knows
/// exit statuses; throws nothing.
int run(int argc, char** argv, const GitParts& git);

}  // namespace wafers::cli
