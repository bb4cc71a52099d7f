#include "core/git_commands/hooks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"
#include "os/files.h"
#include "os/spawn.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// A symlink is followed, as git does.
std::string content_of(const fs::path& path) {
  if (auto content = read_file(path)) return *std::move(content);
  throw Error(ErrorKind::failed, "cannot read " + in_quotes(path.native()));
}

/// A relative path counts from where hooks run (git-config(1)): the root of the view.
fs::path hooks_directory(const Wafer& wafer, const git::Repository& repository) {
  const auto configured = repository.config_path("core.hooksPath");
  return configured && !configured->empty() ? wafer.root() / *configured
                                            : repository.common_dir() / "hooks";
}

bool is_in_repository(const fs::path& directory, const git::Repository& repository) {
  return is_within(directory.native(), repository.common_dir().native());
}

/// As those inside reach it.
fs::path hooks_directory_inside(const Wafer& wafer, const git::Repository& repository) {
  const fs::path directory = hooks_directory(wafer, repository);
  return is_in_repository(directory, repository) ? wafer.reached_inside(directory) : directory;
}

}  // namespace

bool has_commit_hooks(const Wafer& wafer, const git::Repository& repository) {
  const fs::path directory = hooks_directory(wafer, repository);
  const bool in_view = is_within(directory.native(), wafer.mountpoint.native()) ||
                       is_within(directory.native(), wafer.root().native());
  if (in_view && !is_in_repository(directory, repository)) return true;
  constexpr std::array kHooks{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"};
  return std::any_of(kHooks.begin(), kHooks.end(), [&](const char* hook) {
    std::error_code error;
    return fs::exists(directory / hook, error);
  });
}

CommitHooks::CommitHooks(const Wafer& wafer, const git::Repository& repository,
                         const git::IndexFile& index)
    : wafer_(wafer),
      hooks_(hooks_directory_inside(wafer, repository)),
      git_(wafer, repository, index) {}

int CommitHooks::run(const std::string& hook, const std::vector<std::string>& arguments) {
  Command command;
  // A shell that asks in the view whether the hook is there: core.hooksPath may lie in it.
  command.path = "/bin/sh";
  command.argv = {"sh", "-c",
                  "[ -x \"$0\" ] && exec \"$0\" \"$@\"\n"
                  "[ ! -e \"$0\" ] || echo \"hint: the hook $0 is ignored: it is not executable\"",
                  (hooks_ / hook).native()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = git_.environment();
  command.directory = wafer_.root();
  for (const int there : {STDOUT_FILENO, STDERR_FILENO}) {
    command.descriptors.push_back({STDERR_FILENO, there});
  }
  return git_.run(command);
}

void CommitHooks::require(const std::string& hook, const std::vector<std::string>& arguments) {
  const int status = run(hook, arguments);
  if (status == 0) return;
  throw Error(ErrorKind::failed,
              "the hook " + hook + " ended with status " + std::to_string(status) +
                  ": nothing was committed",
              "--no-verify commits without hooks");
}

std::optional<git::Oid> CommitHooks::before_commit() {
  const fs::path index = git_.index();
  const std::string before = content_of(index);
  require("pre-commit", {});
  if (content_of(index) == before) return std::nullopt;
  return git_.tree();
}

std::string CommitHooks::edited_message(const std::string& message,
                                        const std::function<void(const fs::path&)>& edit) {
  const fs::path file = git_.directory() / "COMMIT_EDITMSG";
  put_content(file, message);
  std::vector<std::string> words{file.native()};
  if (!edit) words.emplace_back("message");
  require("prepare-commit-msg", words);
  if (edit) edit(file);
  require("commit-msg", {file.native()});
  return content_of(file);
}

void CommitHooks::after_commit(std::vector<std::string>& warnings) {
  try {
    if (const int status = run("post-commit", {}); status != 0) {
      warnings.push_back("the hook post-commit ended with status " + std::to_string(status));
    }
  } catch (const Error& error) {
    warnings.push_back(error.message());
  }
}

}  // namespace wafers
