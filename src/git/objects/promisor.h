#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/objects/object.h"
#include "git/text/config_text.h"

namespace wafers::git {

/// Where a partial clone gets what it lacks. git fetches that on demand; libgit2 doesn't, so git is
/// asked to.
class Promisor {
 public:
  Promisor() = default;
  Promisor(std::filesystem::path git_dir, const std::vector<Setting>& settings);

  /// Whether the repository is no partial clone.
  bool empty() const noexcept { return remotes_.empty(); }

  /// Has git fetch all of `wanted` by one call for each remote, until one of them has them. Returns
  /// why that failed, in one line; empty where it didn't. Throws Error(failed) where no program can
  /// be started.
  std::string fetch(const std::vector<Oid>& wanted) const;

  /// What to do where fetch() fails.
  std::string hint() const;

 private:
  std::filesystem::path git_dir_;
  std::vector<std::string> remotes_;  ///< in the order in which git asks them
};

}  // namespace wafers::git
