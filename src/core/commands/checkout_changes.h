#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/repository/repository.h"
#include "linux/upper.h"

namespace wafers {

/// Writes into the empty `upper` what makes a view of the checkout's HEAD show its worktree at
/// `paths`, which differ from HEAD there (git/clean/clean_check.h): what the worktree has, as it
/// is, and whiteouts for what it lacks, also where a live base lacks it as well, so that nothing
/// changes in the view when the worktree is cleaned. A directory that HEAD lacks and that goes with
/// its files, as nothing ignored is in it, is opaque. Directories have the worktree's modes and
/// times; so has `upper`. The worktree is only read, no symlink in it is followed, and what changes
/// there meanwhile is taken as in os/tree_copy.h. Throws Error(failed), and Error(unsupported) for
/// names that the dialect takes for its own marks.
void write_checkout_changes(const git::Repository& repository,
                            const std::vector<std::string>& paths,
                            const std::filesystem::path& upper, UpperDialect dialect);

}  // namespace wafers
