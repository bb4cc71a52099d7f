#include "cli/cli.h"

int main(int argc, char** argv) { return wafers::cli::run(argc, argv); }
