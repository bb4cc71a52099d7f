#include "git/repository/author_search.h"

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"

namespace wafers::git {

std::optional<Identity> find_author(const Repository& repository, const std::string& pattern) {
  // builtin/commit.c: find_author_by_nickname().
  const ProgramResult result =
      run_program({"git", "-c", "log.showSignature=false", "log", "--all", "-1", "--no-color",
                   "--regexp-ignore-case", "--author=" + pattern, "--format=%aN <%aE>"},
                  repository.worktree(), {});
  if (!result.success()) {
    throw Error(ErrorKind::failed, "cannot search the history for author " + in_quotes(pattern) +
                                       ": " + printable(trimmed(result.errors)));
  }
  if (result.output.empty()) return std::nullopt;
  return parse_author(trimmed(result.output));
}

}  // namespace wafers::git
