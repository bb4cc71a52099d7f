#include "support/run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

namespace wafers::test {
namespace {

std::string command_line(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) line += (line.empty() ? "" : " ") + shell_quoted(word);
  return line;
}

/// O_APPEND, since several processes may write at once: of a file in memory the kernel does not
/// lock the position that they share, as it does for files that were opened.
UniqueFd file_in_memory(std::string_view content = {}) {
  UniqueFd fd(::memfd_create("wafers-test", MFD_CLOEXEC));
  if (!fd) throw std::runtime_error("memfd_create: " + describe_errno(errno));
  while (!content.empty()) {
    const ssize_t written = ::write(fd.get(), content.data(), content.size());
    if (written < 0) throw std::runtime_error("write: " + describe_errno(errno));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  if (::fcntl(fd.get(), F_SETFL, O_APPEND) != 0) {
    throw std::runtime_error("fcntl: " + describe_errno(errno));
  }
  return fd;
}

std::string content_of(const UniqueFd& fd) {
  std::string content;
  std::array<char, 65536> buffer{};
  off_t offset = 0;
  while (true) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), offset);
    if (got < 0) throw std::runtime_error("read: " + describe_errno(errno));
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    offset += got;
  }
}

std::string_view key_of(std::string_view setting) { return setting.substr(0, setting.find('=')); }

std::vector<std::string> merged_environment(const std::vector<std::string>& changes) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      return key_of(change) == key_of(*entry);
    });
    if (!changed) merged.emplace_back(*entry);
  }
  for (const std::string& change : changes) {
    if (change.find('=') != std::string::npos) merged.push_back(change);
  }
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// posix_spawn's file actions, destroyed with the scope.
struct FileActions {
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions{};
};

}  // namespace

RunResult run(const std::vector<std::string>& argv, const RunOptions& options) {
  const UniqueFd in = file_in_memory(options.input);
  const UniqueFd out = file_in_memory();
  const UniqueFd err = file_in_memory();
  FileActions files;
  ::posix_spawn_file_actions_adddup2(&files.actions, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files.actions, out.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files.actions, err.get(), STDERR_FILENO);
  if (!options.cwd.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&files.actions, options.cwd.c_str());
  }
  std::vector<std::string> words = argv;
  std::vector<std::string> environment = merged_environment(options.environment);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv.at(0).c_str(), &files.actions, nullptr,
                                    pointers_to(words).data(), pointers_to(environment).data());
  if (failed != 0) {
    throw std::runtime_error("cannot run " + command_line(argv) + ": " + describe_errno(failed));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return {.out = content_of(out),
          .err = content_of(err),
          .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

std::string run_ok(const std::vector<std::string>& argv, const RunOptions& options) {
  RunResult result = run(argv, options);
  if (!result.ok()) {
    throw std::runtime_error(command_line(argv) + ": exit status " + std::to_string(result.status) +
                             ", signal " + std::to_string(result.signal) +
                             "\nstdout: " + result.out + "\nstderr: " + result.err);
  }
  return std::move(result.out);
}

RunResult run_script(const std::string& script, const RunOptions& options) {
  return run({"sh", "-eu", "-c", script}, options);
}

}  // namespace wafers::test
