#include "core/commands/opened_base.h"

#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/commands/starting_point.h"
#include "git/text/quote.h"

namespace wafers {

namespace fs = std::filesystem;

OpenedBase open_base(const fs::path& from, const std::optional<std::string>& revision) {
  if (std::error_code error; fs::exists(from, error) && !fs::is_directory(from, error)) {
    throw Error(ErrorKind::failed, in_quotes(from.native()) + " is no directory",
                "--from names any directory of a checkout");
  }
  git::Repository repository =
      from == "." ? git::Repository::open_here(from) : git::Repository::open(from);
  const auto complaints = repository.unsupported();
  if (!complaints.empty()) throw Error(ErrorKind::unsupported, complaints.front());
  const auto head = git::commit_at_head(repository);
  if (!head) {
    throw Error(ErrorKind::failed,
                "repository " + in_quotes(repository.worktree().native()) +
                    " has no commit yet that a wafer could be based on",
                "make a first commit");
  }
  const git::NamedCommit commit = revision ? git::find_commit(repository, *revision) : *head;
  return {std::move(repository), head->oid, commit};
}

StartingPoint starting_point(const git::Repository& repository, const git::NamedCommit& commit) {
  StartingPoint start;
  start.commit = commit.oid.hex();
  start.short_id = repository.short_id(commit.oid);
  start.ref = commit.ref;
  start.subject = git::subject_of(repository.message_of(commit.oid));
  if (auto behind = git::behind_upstream(repository, commit)) {
    start.upstream = std::move(behind->upstream);
    start.behind = behind->commits;
  }
  return start;
}

}  // namespace wafers
