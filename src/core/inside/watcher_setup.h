#pragma once

#include "core/state/wafer.h"
#include "git/repository/repository.h"

namespace wafers {

/// Gives a view with git inside over a frozen base its watcher (core/inside/watcher.h), where the
/// repository has extensions.worktreeConfig, so that git reads what says so, where git is new
/// enough, and where the worktree has no configuration of its own yet. Throws Error(failed).
void set_watcher_up(const Wafer& wafer, const git::Repository& repository);

}  // namespace wafers
