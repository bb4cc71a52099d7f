// Whatever links this links libgit2: `completion`, too, which asks every command.
#include <algorithm>

#include "cli/command_table.h"

namespace wafers::cli {
namespace {

constexpr auto kCommandsWithGit = command_table<Program::wafers_git>();

}  // namespace

int run_git_command(const Command& command, const Arguments& arguments, Report& report) {
  const auto* const found = std::ranges::find(kCommandsWithGit, command.name, &Command::name);
  return found->run(command, arguments, report);
}

}  // namespace wafers::cli
