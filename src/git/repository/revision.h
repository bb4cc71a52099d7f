#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "git/repository/repository.h"

namespace wafers::git {

/// A commit, and the ref that it was found by.
struct NamedCommit {
  Oid oid;
  std::string ref;  ///< short: "main", "v1.0", "origin/main"; "HEAD" where that is detached
};

/// The commit at HEAD, with the branch that HEAD is on; nullopt on an unborn branch.
std::optional<NamedCommit> commit_at_head(const Repository& repository);

/// The commit that `revision` stands for, as the git program takes it (gitrevisions(7)); `ref` is
/// the revision itself where that is no ref's name. Throws Error(failed) where there is none.
NamedCommit find_commit(const Repository& repository, const std::string& revision);

/// How many commits the upstream of the branch `ref` has that `commit` lacks, by what the
/// repository knows of it: nothing is fetched. nullopt where it has no upstream, or none is known.
struct Behind {
  std::string upstream;  ///< short: "origin/main"
  std::size_t commits = 0;
};
std::optional<Behind> behind_upstream(const Repository& repository, const NamedCommit& commit);

}  // namespace wafers::git
