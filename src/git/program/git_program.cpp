#include "git/program/git_program.h"

#include <unistd.h>

#include <iterator>
#include <utility>

#include "base/error.h"
#include "os/find_program.h"
#include "os/interrupt.h"
#include "os/run_program.h"

namespace wafers::git {
Command git_command_in(const std::filesystem::path& worktree, std::vector<std::string> arguments) {
  const auto program = find_program("git");
  if (!program) {
    throw Error(ErrorKind::unsupported, "cannot find the program git", "install git");
  }
  Command command;
  command.path = program->native();
  command.argv = {"git", "-C", worktree.native()};
  command.argv.insert(command.argv.end(), std::make_move_iterator(arguments.begin()),
                      std::make_move_iterator(arguments.end()));
  command.environment = environment_without_repository();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    command.descriptors.push_back({stream, stream});
  }
  return command;
}

ExitStatus run_in_foreground(const Command& command) {
  const InterruptGuard guard;
  return wait_for_child(spawn(command));
}

}  // namespace wafers::git
