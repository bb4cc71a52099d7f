#include "core/git_commands/hooks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "core/view/backends.h"
#include "core/view/mountpoint.h"
#include "git/program/git_program.h"
#include "os/child.h"
#include "os/files.h"
#include "os/interrupt.h"
#include "os/remove_tree.h"
#include "os/spawn.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << content;
  stream.close();
  if (!stream) throw Error(ErrorKind::failed, "cannot write " + in_quotes(path.native()));
}

/// A symlink is followed, as git does.
std::string content_of(const fs::path& path) {
  if (auto content = read_file(path)) return *std::move(content);
  throw Error(ErrorKind::failed, "cannot read " + in_quotes(path.native()));
}

/// A Git directory is what has HEAD and knows where the rest is (gitrepository-layout(5)). This one
/// is in no list of worktrees.
void make_git_dir(const fs::path& directory, const Wafer& wafer, const git::Repository& repository,
                  const git::IndexFile& index) {
  remove_tree(directory);  // left by a killed commit
  if (::mkdir(directory.c_str(), 0700) != 0) {
    throw_errno("cannot make directory", directory.native());
  }
  write_file(directory / "HEAD", "ref: refs/heads/" + wafer.branch + "\n");
  write_file(directory / "commondir", repository.common_dir().native() + "\n");
  const fs::path worktree_config = repository.git_dir() / "config.worktree";
  if (fs::exists(worktree_config)) fs::copy_file(worktree_config, directory / "config.worktree");
  index.write(directory / "index");
}

/// Runs a program in the view, as `wafers exec` would: its exit status, or 128 + the signal.
int run_in_view(const Wafer& wafer, const Command& command) {
  const InterruptGuard guard;
  Pipe pipe = make_pipe();
  const auto failure = run_in_child([&] {
    const auto view = make_backend(wafer.backend)->find(wafer);
    if (!view) throw not_mounted(wafer);
    view->enter();
    const int code = run(command).shell_code();
    write_all(pipe.writer.get(), std::to_string(code));
  });
  InterruptGuard::check();
  if (failure) throw failure->error();
  pipe.writer.reset();
  return std::stoi(read_to_end(pipe.reader.get()));
}

/// A relative path counts from where hooks run (git-config(1)): the root of the view.
fs::path hooks_directory(const Wafer& wafer, const git::Repository& repository) {
  const auto configured = repository.config_path("core.hooksPath");
  return configured && !configured->empty() ? wafer.mountpoint / *configured
                                            : repository.common_dir() / "hooks";
}

}  // namespace

bool has_commit_hooks(const Wafer& wafer, const git::Repository& repository) {
  const fs::path directory = hooks_directory(wafer, repository);
  if (is_within(directory.native(), wafer.mountpoint.native())) return true;
  constexpr std::array kHooks{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"};
  return std::any_of(kHooks.begin(), kHooks.end(), [&](const char* hook) {
    std::error_code error;
    return fs::exists(directory / hook, error);
  });
}

CommitHooks::CommitHooks(const Wafer& wafer, const git::Repository& repository,
                         const git::IndexFile& index)
    : wafer_(wafer),
      repository_(repository),
      hooks_(hooks_directory(wafer, repository)),
      git_dir_(wafer.directory / "commit.git") {
  make_git_dir(git_dir_, wafer, repository, index);
}

CommitHooks::~CommitHooks() {
  try {
    remove_tree(git_dir_);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next commit tries again
  }
}

std::vector<std::string> CommitHooks::environment() const {
  return with_variables(
      git::environment_without_repository(),
      {"GIT_DIR=" + git_dir_.native(), "GIT_WORK_TREE=" + wafer_.mountpoint.native(),
       "GIT_INDEX_FILE=" + (git_dir_ / "index").native(), "GIT_PREFIX=",
       // No editor is used: a hook that starts one would wait for ever (git's run_commit_hook).
       "GIT_EDITOR=:", "WAFERS_NAME=" + wafer_.name, "WAFERS_BRANCH=" + wafer_.branch,
       "WAFERS_ROOT=" + wafer_.mountpoint.native()});
}

int CommitHooks::run(const std::string& hook, const std::vector<std::string>& arguments) {
  Command command;
  // A shell that asks in the view whether the hook is there: core.hooksPath may lie in it.
  command.path = "/bin/sh";
  command.argv = {"sh", "-c",
                  "[ -x \"$0\" ] && exec \"$0\" \"$@\"\n"
                  "[ ! -e \"$0\" ] || echo \"hint: the hook $0 is ignored: it is not executable\"",
                  (hooks_ / hook).native()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = environment();
  command.directory = wafer_.mountpoint;
  for (const int there : {STDOUT_FILENO, STDERR_FILENO}) {
    command.descriptors.push_back({STDERR_FILENO, there});
  }
  return run_in_view(wafer_, command);
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
  const fs::path index = git_dir_ / "index";
  const std::string before = content_of(index);
  require("pre-commit", {});
  if (content_of(index) == before) return std::nullopt;
  const ProgramResult result =
      git::run_program({"git", "write-tree"}, repository_.worktree(), {},
                       {"GIT_DIR=" + git_dir_.native(), "GIT_INDEX_FILE=" + index.native()});
  const auto tree = git::Oid::from_hex(trimmed(result.output));
  if (result.success() && tree) return tree;
  throw Error(ErrorKind::failed, "cannot read the index that the hook pre-commit left: " +
                                     printable(trimmed(result.errors)));
}

std::string CommitHooks::edited_message(const std::string& message) {
  const fs::path file = git_dir_ / "COMMIT_EDITMSG";
  write_file(file, message);
  require("prepare-commit-msg", {file.native(), "message"});
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
