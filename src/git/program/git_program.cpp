#include "git/program/git_program.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/find_program.h"
#include "os/interrupt.h"

namespace wafers::git {
namespace {

/// What `git rev-parse --local-env-vars` lists, of old and new versions; configuration comes first.
constexpr std::array kLocalVariables{"GIT_CONFIG_COUNT",
                                     "GIT_CONFIG_PARAMETERS",
                                     "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                     "GIT_COMMON_DIR",
                                     "GIT_CONFIG",
                                     "GIT_DIR",
                                     "GIT_GRAFT_FILE",
                                     "GIT_IMPLICIT_WORK_TREE",
                                     "GIT_INDEX_FILE",
                                     "GIT_INTERNAL_SUPER_PREFIX",
                                     "GIT_NO_REPLACE_OBJECTS",
                                     "GIT_OBJECT_DIRECTORY",
                                     "GIT_PREFIX",
                                     "GIT_REPLACE_REF_BASE",
                                     "GIT_SHALLOW_FILE",
                                     "GIT_WORK_TREE"};
constexpr std::size_t kConfiguration = 2;

bool is_tied_to_repository(std::string_view assignment) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  return std::find(kLocalVariables.begin() + kConfiguration, kLocalVariables.end(), name) !=
         kLocalVariables.end();
}

/// Takes the rest of a quoted part off `line`, with its closing quote.
std::string take_quoted(std::string_view& line, char quote) {
  std::string text;
  while (!line.empty() && line.front() != quote) {
    // A backslash is one in single quotes.
    if (line.front() == '\\' && quote == '"' && line.size() > 1) line.remove_prefix(1);
    text += line.front();
    line.remove_prefix(1);
  }
  if (line.empty()) throw Error(ErrorKind::failed, "a quote isn't closed");
  line.remove_prefix(1);
  return text;
}

std::string find_git() {
  const auto program = find_program("git");
  if (!program) {
    throw Error(ErrorKind::unsupported, "cannot find the program git", "install git");
  }
  return program->native();
}

}  // namespace

std::vector<std::string> environment_without_repository() {
  std::vector<std::string> environment = own_environment();
  std::erase_if(environment, is_tied_to_repository);
  return environment;
}

void clear_repository_variables() noexcept {
  for (const char* const name : kLocalVariables) ::unsetenv(name);
}

ProgramResult run_program(const std::vector<std::string>& argv,
                          const std::filesystem::path& directory, std::string_view input,
                          const std::vector<std::string>& variables,
                          const std::function<void()>& meanwhile) {
  constexpr int kNotFound = 127;
  const std::string& name = argv.front();
  ProgramResult not_found{kNotFound, {}, "cannot find the program " + in_quotes(name)};
  const auto program = name.find('/') != std::string::npos ? name : find_program(name);
  if (!program) return not_found;
  Command command;
  command.path = program->native();
  command.argv = argv;
  command.environment = with_variables(environment_without_repository(), variables);
  command.directory = directory;
  command.inherits = Command::Inherits::all;
  try {
    return wafers::run_program(std::move(command), input, meanwhile);
  } catch (const Error& error) {
    if (error.errnum() == ENOENT) return not_found;
    throw;
  }
}

std::vector<std::string> split_command_line(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  std::vector<std::string> words;
  bool in_word = false;
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (kBlanks.find(c) != std::string_view::npos) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '\'' || c == '"') {
      words.back() += take_quoted(line, c);
    } else if (c == '\\' && !line.empty()) {
      words.back() += line.front();
      line.remove_prefix(1);
    } else {
      words.back() += c;
    }
  }
  return words;
}

ProgramResult run_git(const std::filesystem::path& directory, std::vector<std::string> arguments,
                      const std::vector<std::string>& variables,
                      const std::function<void()>& meanwhile) {
  arguments.insert(arguments.begin(), find_git());
  return run_program(arguments, directory, "", variables, meanwhile);
}

Command git_command_in(const std::filesystem::path& worktree, std::vector<std::string> arguments) {
  Command command;
  command.path = find_git();
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
  return run(command);
}

std::optional<int> show_in_foreground(const Command& command, const std::string& name) {
  const ExitStatus status = run_in_foreground(command);
  if (status.signal != 0) return status.signal;
  InterruptGuard::check();
  if (status.success()) return std::nullopt;
  throw Error(ErrorKind::failed, name + " ended with status " + std::to_string(status.code));
}

}  // namespace wafers::git
