#pragma once

namespace wafers::cli {

/// Runs one command line and returns the exit status. The only place that prints errors and knows
/// exit statuses; throws nothing.
int run(int argc, char** argv);

}  // namespace wafers::cli
