// The program that everybody calls. It links nothing of libgit2, whose loading and initialisation
// take several times as long as entering a wafer: commands that need Git go to wafers-git.
#include "cli/cli.h"

int main(int argc, char** argv) {
  return wafers::cli::run(argc, argv, wafers::cli::kGitOfAnotherProgram);
}
