#include "core/base_git.h"

#include <unistd.h>

#include <iterator>
#include <utility>

#include "base/error.h"
#include "core/interrupt.h"
#include "git/program.h"
#include "linux/fuse_overlayfs.h"

namespace wafers {
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
  command.environment = git::environment_without_repository();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    command.descriptors.push_back({stream, stream});
  }
  return command;
}

ExitStatus run_in_foreground(const Command& command) {
  const InterruptGuard guard;
  return wait_for_child(spawn(command));
}

}  // namespace wafers
