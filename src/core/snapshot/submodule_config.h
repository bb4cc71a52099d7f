#pragma once

#include <map>
#include <string>
#include <string_view>

#include "git/repository/repository.h"

namespace wafers {

/// What a status leaves out of a submodule (git-config(1), submodule.<name>.ignore).
enum class SubmoduleIgnore {
  none,
  untracked,  ///< files in it that it doesn't track
  dirty,      ///< and all that differs from its own HEAD
  all,        ///< and another commit being checked out
};

/// The settings of all submodules, as git's status finds them: in the repository's configuration,
/// else in `.gitmodules`, else diff.ignoreSubmodules. A submodule that `.gitmodules` doesn't name
/// has only the last one (diff.c, submodule.c: set_diffopt_flags_from_submodule_config). Where
/// status.showUntrackedFiles is `no`, those without a setting of their own show none, either.
class SubmoduleConfig {
 public:
  /// `gitmodules` is what `.gitmodules` holds; one that can't be parsed counts as empty.
  SubmoduleConfig(const git::Repository& repository, std::string_view gitmodules);

  SubmoduleIgnore ignore_of(std::string_view path) const;

 private:
  std::map<std::string, SubmoduleIgnore, std::less<>> by_path_;
  SubmoduleIgnore otherwise_ = SubmoduleIgnore::none;
};

}  // namespace wafers
