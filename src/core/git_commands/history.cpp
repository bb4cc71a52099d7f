#include "core/git_commands/history.h"

#include <string_view>

#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "git/program/git_program.h"
#include "git/repository/repository.h"

namespace wafers {
namespace {

/// "HEAD", "HEAD~1", "main..HEAD^" with the branch in HEAD's place: to git it is that of the
/// checkout.
std::string with_branch_for_head(const std::string& word, const std::string& branch) {
  constexpr std::string_view kHead = "HEAD";
  constexpr std::string_view kAfter = "~^@:.";
  const auto is_head = [&](std::size_t at) {
    const std::size_t end = at + kHead.size();
    return word.compare(at, kHead.size(), kHead) == 0 &&
           (end == word.size() || kAfter.find(word[end]) != std::string_view::npos);
  };
  std::string text = word;
  for (const std::string_view dots : {"...", ".."}) {
    const std::size_t at = word.find(dots);
    if (at == std::string::npos) continue;
    if (is_head(at + dots.size())) text.replace(at + dots.size(), kHead.size(), branch);
    break;
  }
  const std::size_t start = word.starts_with('^') ? 1 : 0;
  if (is_head(start)) text.replace(start, kHead.size(), branch);
  return text;
}

}  // namespace

std::optional<int> show_history(const Store& store, const std::string& name,
                                const std::string& command, const std::vector<std::string>& words) {
  const Wafer wafer = store.load(name);
  const git::Repository repository = open_repository(wafer);
  require_branch(repository, wafer);
  const std::string branch = "refs/heads/" + wafer.branch;
  std::vector<std::string> arguments{command, "--default", branch};
  bool is_path = false;
  for (const std::string& word : words) {
    is_path = is_path || word == "--";
    arguments.push_back(is_path ? word : with_branch_for_head(word, branch));
  }
  return git::show_in_foreground(git::git_command_in(repository.worktree(), std::move(arguments)),
                                 "git " + command);
}

}  // namespace wafers
