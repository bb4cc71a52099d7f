#pragma once

#include <optional>
#include <string>
#include <vector>

#include "git/repository/repository.h"

namespace wafers::git {

/// The names of the configured remotes, in the order in which they are first mentioned.
std::vector<std::string> remote_names(const Repository& repository);

// Not asked of git: `for-each-ref` prints no %(push:remotename) for a branch without a remote, nor
// for the only remote there is.

/// Where `git push` pushes a branch that is checked out (remote.c: pushremote_for_branch):
/// branch.<name>.pushRemote, remote.pushDefault, branch.<name>.remote, the only remote there is;
/// nullopt where only git's last resort would be left, a remote called "origin" that doesn't exist.
std::optional<std::string> push_remote_of(const Repository& repository, const std::string& branch);

/// Whether the branch has an upstream, as `git push -u` sets it.
bool has_upstream(const Repository& repository, const std::string& branch);

/// Whether git could take `remote` for a place to push to: the name of a remote (also one kept in a
/// file of .git/remotes or .git/branches, as long ago), a URL, or a path that exists from the
/// worktree's root.
bool is_known_remote(const Repository& repository, const std::string& remote);

}  // namespace wafers::git
