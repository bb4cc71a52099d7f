#include "os/run_program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/fd.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "os/file.h"

namespace wafers {
namespace {

constexpr int kNotFound = 127;

constexpr std::array<std::string_view, 13> kRepositoryVariables{"GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                                                "GIT_COMMON_DIR",
                                                                "GIT_CONFIG",
                                                                "GIT_DIR",
                                                                "GIT_GRAFT_FILE",
                                                                "GIT_IMPLICIT_WORK_TREE",
                                                                "GIT_INDEX_FILE",
                                                                "GIT_NO_REPLACE_OBJECTS",
                                                                "GIT_OBJECT_DIRECTORY",
                                                                "GIT_PREFIX",
                                                                "GIT_REPLACE_REF_BASE",
                                                                "GIT_SHALLOW_FILE",
                                                                "GIT_WORK_TREE"};

bool is_tied_to_repository(std::string_view assignment) {
  const std::string_view name = assignment.substr(0, assignment.find('='));
  return std::find(kRepositoryVariables.begin(), kRepositoryVariables.end(), name) !=
         kRepositoryVariables.end();
}

/// Files in memory and no pipes: whatever the program reads and prints first, nobody waits.
UniqueFd memory_file(std::string_view content) {
  UniqueFd fd(::memfd_create("wafers", MFD_CLOEXEC));
  if (!fd) {
    const int err = errno;
    throw Error::system(err, "cannot make a memory file");
  }
  write_all(fd.get(), content, "memory file");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string content_of(const UniqueFd& file) {
  ::lseek(file.get(), 0, SEEK_SET);
  return read_all(file.get(), "memory file");
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// posix_spawnp(3) with the three standard streams; its errno.
int start(std::vector<std::string> argv, const std::filesystem::path& directory, int in, int out,
          int err_out, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (::posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
  const ScopeGuard free_actions([&] { ::posix_spawn_file_actions_destroy(&actions); });
  if (::posix_spawnattr_init(&attributes) != 0) return ENOMEM;
  const ScopeGuard free_attributes([&] { ::posix_spawnattr_destroy(&attributes); });
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  int err = ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  if (err == 0) err = ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  if (err == 0) err = ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  if (err == 0) err = ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (err == 0) err = ::posix_spawn_file_actions_adddup2(&actions, err_out, STDERR_FILENO);
  if (err == 0) err = ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  if (err != 0) return err;
  std::vector<std::string> environment = environment_without_repository();
  return ::posix_spawnp(&pid, argv.front().c_str(), &actions, &attributes, pointers_to(argv).data(),
                        pointers_to(environment).data());
}

/// execvp(3) says EACCES also of a program that is nowhere, if a directory of PATH can't be
/// searched.
bool is_somewhere(const std::string& program) {
  if (program.find('/') != std::string::npos) return true;
  const char* const path = std::getenv("PATH");
  const std::vector<std::string> directories = split(path != nullptr ? path : "", ':');
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    const std::string file = (directory.empty() ? "." : directory) + "/" + program;
    return ::access(file.c_str(), F_OK) == 0;
  });
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

}  // namespace

std::vector<std::string> environment_without_repository() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  std::erase_if(environment, is_tied_to_repository);
  return environment;
}

ProgramResult run_program(const std::vector<std::string>& argv,
                          const std::filesystem::path& directory, std::string_view input) {
  const UniqueFd in = memory_file(input);
  const UniqueFd out = memory_file({});
  const UniqueFd errors = memory_file({});
  pid_t pid = -1;
  const int err = start(argv, directory, in.get(), out.get(), errors.get(), pid);
  if (err == ENOENT || (err == EACCES && !is_somewhere(argv.front()))) {
    return {kNotFound, {}, "cannot find the program " + wafers::quoted(argv.front())};
  }
  if (err != 0) throw Error::system(err, "cannot run " + wafers::quoted(argv.front()));
  const int status = wait_for(pid);
  return {status, content_of(out), content_of(errors)};
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

}  // namespace wafers
