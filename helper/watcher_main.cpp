// wafers-watcher: what git inside a view asks which paths may have changed (core.fsmonitor). Git
// starts it as `wafers-watcher <directory of the wafer's state> 2 <token>`, as one of the agent's
// own processes. Where it fails, without a word, git looks at all files.

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "core/inside/watcher.h"
#include "core/inside/watcher_answer.h"
#include "core/state/store.h"
#include "os/files.h"
#include "os/process.h"
#include "os/spawn.h"

namespace {

namespace fs = std::filesystem;

/// Of another index than the worktree's own, such as the one of `git stash`, nothing is known.
bool asks_for_index_of(const wafers::Wafer& wafer) {
  const char* const index = std::getenv("GIT_INDEX_FILE");
  std::error_code error;
  return index == nullptr || fs::equivalent(index, wafer.git_dir / "index", error);
}

/// The program that asks: git has a shell between it and us.
std::string asking_git() {
  constexpr int kMostBetween = 3;
  pid_t pid = ::getppid();
  for (int i = 0; i < kMostBetween; ++i) {
    std::string program = "/proc/" + std::to_string(pid) + "/exe";
    std::error_code error;
    const fs::path called = fs::read_symlink(program, error).filename();
    if (called.native().starts_with("git")) return program;
    const auto process = wafers::read_process_stat(pid);
    if (!process) break;
    pid = process->parent;
  }
  return {};
}

bool is_asked_by_sound_git() {
  wafers::Command command;
  command.path = asking_git();
  if (command.path.empty()) return false;
  command.argv = {"git", "version"};
  return wafers::heeds_watcher(wafers::run_program(command, "").output);
}

void answer(const fs::path& directory, std::string_view token) {
  const wafers::Store store(directory.parent_path());
  const wafers::Wafer wafer = store.load(directory.filename().native());
  if (!asks_for_index_of(wafer) || !is_asked_by_sound_git()) std::exit(EXIT_FAILURE);
  wafers::write_all(STDOUT_FILENO, wafers::watcher_answer(wafer, token), "standard output");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[2]) != "2") return EXIT_FAILURE;
  try {
    answer(argv[1], argv[3]);
  } catch (const std::exception&) {
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
