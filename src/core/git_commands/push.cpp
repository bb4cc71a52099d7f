#include "core/git_commands/push.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/view/left_inside.h"
#include "git/program/git_program.h"
#include "git/repository/remotes.h"
#include "git/repository/repository.h"
#include "os/interrupt.h"

namespace wafers {
namespace {

std::string named_remotes(const git::Repository& repository) {
  std::string list;
  for (const std::string& name : git::remote_names(repository)) {
    list += (list.empty() ? "" : ", ") + printable(name);
  }
  return list;
}

std::string advice_on_remotes(const git::Repository& repository) {
  const std::string known = named_remotes(repository);
  if (!known.empty()) return "the repository has: " + known;
  return "add one with: git -C " + shell_quoted(repository.worktree().native()) +
         " remote add origin <url>";
}

std::string remote_for(const git::Repository& repository, const Wafer& wafer,
                       const PushRequest& request) {
  if (request.remote) {
    // Git would take the word for an option, or for a path to a repository that isn't there.
    if (request.remote->empty() || !git::is_known_remote(repository, *request.remote)) {
      throw Error(ErrorKind::usage, "there is no remote " + in_quotes(*request.remote),
                  advice_on_remotes(repository));
    }
    return *request.remote;
  }
  if (auto remote = git::push_remote_of(repository, wafer.branch)) return *std::move(remote);
  throw Error(ErrorKind::failed,
              "cannot push branch " + in_quotes(wafer.branch) +
                  (git::remote_names(repository).empty()
                       ? ": the repository has no remote"
                       : ": the repository has several remotes, and none for this branch"),
              git::remote_names(repository).empty()
                  ? advice_on_remotes(repository)
                  : "name one of them: " + named_remotes(repository));
}

}  // namespace

void git_push(const Store& store, const std::string& name, const PushRequest& request) {
  const Wafer wafer = store.load(name);
  const git::Repository repository = open_repository(wafer);
  require_branch(repository, wafer);
  const std::string remote = remote_for(repository, wafer, request);

  std::vector<std::string> arguments{"push"};
  if (!git::has_upstream(repository, wafer.branch)) arguments.emplace_back("--set-upstream");
  if (request.force) arguments.emplace_back("--force");
  if (request.force_with_lease) arguments.emplace_back("--force-with-lease");
  if (request.dry_run) arguments.emplace_back("--dry-run");
  // Only the source: git maps it as remote.<name>.push and push.default say (builtin/push.c).
  for (const std::string& word : {std::string("--"), remote, "refs/heads/" + wafer.branch}) {
    arguments.push_back(word);
  }
  const LeftInside left(wafer);
  const ExitStatus status =
      git::run_in_foreground(git::git_command_in(repository.worktree(), arguments));
  InterruptGuard::check();
  if (status.success()) return;
  const std::string how = status.signal != 0
                              ? "was ended by signal " + std::to_string(status.signal)
                              : "ended with status " + std::to_string(status.code);
  throw Error(ErrorKind::failed, "cannot push branch " + in_quotes(wafer.branch) + " to " +
                                     in_quotes(remote) + ": git push " + how);
}

}  // namespace wafers
