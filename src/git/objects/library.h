#pragma once

#include <git2.h>

#include <string>
#include <string_view>

#include "git/objects/object.h"

namespace wafers::git {

/// Initialises libgit2 once; only then the process pays for it. It is told the extensions that we
/// check ourselves, and where $HOME is now.
void ensure_library();

/// Throws Error(failed): `doing`, then libgit2's own message.
[[noreturn]] void throw_library_error(std::string_view doing, std::string hint = {});

/// Passes on what a libgit2 function returned; throws where it is an error.
inline int check(int result, std::string_view doing) {
  if (result < 0) throw_library_error(doing);
  return result;
}

git_oid to_library(const Oid& oid);
Oid from_library(const git_oid& oid);

}  // namespace wafers::git
