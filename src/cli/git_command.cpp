// Whatever links this links libgit2: `completion`, too, which asks every command.
#include <algorithm>

#include "cli/cli.h"
#include "cli/command_table.h"
#include "core/base/heal.h"

namespace wafers::cli {
namespace {

constexpr auto kCommandsWithGit = command_table<Program::wafers_git>();

}  // namespace

const GitParts kOwnGit{
    .run = [](const Command& command, const Arguments& arguments, Report& report) -> int {
      const auto* const found = std::ranges::find(kCommandsWithGit, command.name, &Command::name);
      return found->run(command, arguments, report);
    },
    .heal = [](LockedWafer& wafer, char** /*argv*/) { wafers::heal(wafer); }};

}  // namespace wafers::cli
