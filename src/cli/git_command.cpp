// Whatever links this links libgit2: `completion`, too, which asks every command.
#include <algorithm>
#include <array>

#include "cli/command.h"

namespace wafers::cli {
namespace {

struct GitCommand {
  std::string_view name;
  Runner run;
};

constexpr std::array kGitCommands{
    GitCommand{"add", run_add},
    GitCommand{"git-status", run_git_status},
    GitCommand{"git-diff", run_git_diff},
    GitCommand{"git-add", run_git_add},
    GitCommand{"git-commit", run_git_commit},
    GitCommand{"git-push", run_git_push},
    GitCommand{"rm", run_rm},
    GitCommand{"doctor", run_doctor},
    GitCommand{"completion", run_completion},
};

}  // namespace

int run_git_command(const Command& command, const Arguments& arguments, Report& report) {
  const auto* const found = std::ranges::find(kGitCommands, command.name, &GitCommand::name);
  return found->run(command, arguments, report);
}

}  // namespace wafers::cli
