#pragma once

#include <git2.h>

namespace wafers::git {

/// git's measure of how much of a file is found in another (diffcore-delta.c), for libgit2's search
/// for renames: its own one gives other percentages than git's.
git_diff_similarity_metric similarity_metric();

}  // namespace wafers::git
