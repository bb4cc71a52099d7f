// The same program with all commands, executed by `wafers` for those that need Git.
#include "cli/cli.h"

int main(int argc, char** argv) { return wafers::cli::run(argc, argv, wafers::cli::kOwnGit); }
