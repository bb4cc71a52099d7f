#include "git/repository/revision.h"

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"

namespace wafers::git {
namespace {

constexpr std::string_view kHeads = "refs/heads/";

std::optional<std::string> answer_of_git(const Repository& repository,
                                         std::vector<std::string> arguments) {
  const ProgramResult result = run_git(repository.worktree(), std::move(arguments));
  if (!result.success()) return std::nullopt;
  return std::string(trimmed(result.output));
}

}  // namespace

std::optional<NamedCommit> commit_at_head(const Repository& repository) {
  const auto commit = repository.head_commit();
  if (!commit) return std::nullopt;
  const std::string ref = repository.head_ref();
  return NamedCommit{*commit, ref.starts_with(kHeads) ? ref.substr(kHeads.size()) : "HEAD"};
}

NamedCommit find_commit(const Repository& repository, const std::string& revision) {
  const auto hex = answer_of_git(
      repository, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  const auto oid = hex ? Oid::from_hex(*hex) : std::nullopt;
  if (!oid) {
    throw Error(ErrorKind::failed, in_quotes(revision) + " names no commit of " +
                                       in_quotes(repository.worktree().native()));
  }
  const auto ref = answer_of_git(repository, {"rev-parse", "--abbrev-ref", "--verify", "--quiet",
                                              "--end-of-options", revision});
  return {*oid, ref && !ref->empty() && *ref != "--end-of-options" ? *ref : revision};
}

std::optional<Behind> behind_upstream(const Repository& repository, const NamedCommit& commit) {
  const std::string section = "branch." + commit.ref;
  const auto remote = repository.config(section + ".remote");
  const auto merged = repository.config(section + ".merge");
  if (!remote || !merged || !merged->starts_with(kHeads)) return std::nullopt;
  Behind behind;
  const std::string branch = merged->substr(kHeads.size());
  behind.upstream = *remote == "." ? branch : *remote + "/" + branch;
  const std::string ref = *remote == "." ? *merged : "refs/remotes/" + behind.upstream;
  const auto tip = repository.ref(ref);
  if (!tip || *tip == commit.oid) return std::nullopt;
  const auto count =
      answer_of_git(repository, {"rev-list", "--count", "^" + commit.oid.hex(), tip->hex(), "--"});
  if (!count) return std::nullopt;
  std::from_chars(count->data(), count->data() + count->size(), behind.commits);
  return behind.commits > 0 ? std::optional(behind) : std::nullopt;
}

}  // namespace wafers::git
