#pragma once

#include "git/objects/object.h"

namespace wafers::git {

/// Whether git shows a change between them as a modification: the executable bit makes no other
/// type of a file.
inline bool same_type(FileMode a, FileMode b) { return a == b || (is_regular(a) && is_regular(b)); }

/// As `git diff --name-status` has it, without rename detection: A, D, M or T.
inline char letter_of(const TreeChange& change) {
  if (change.old_mode == FileMode::absent) return 'A';
  if (change.new_mode == FileMode::absent) return 'D';
  return same_type(change.old_mode, change.new_mode) ? 'M' : 'T';
}

}  // namespace wafers::git
