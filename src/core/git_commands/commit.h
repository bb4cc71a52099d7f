#pragma once

#include <functional>
#include <string>

#include "core/git_commands/types.h"
#include "core/state/wafer.h"

namespace wafers {

// All of this runs outside the namespace and works on an unmounted wafer; the caller holds the
// wafer's lock and has flushed the view (MountedView::flush).

/// Commits what is staged, or the view (or only `paths` of it), onto the wafer's branch.
/// `about_to_move` is called with the new commit before the ref moves, to be made durable by the
/// caller (Wafer::pending_commit), together with Wafer::pending_staged_tree, which is set by then.
/// Afterwards Wafer::staged_tree says what is still staged; the caller saves that with the new tip.
/// Before a hook runs, `mount_view` makes sure that the wafer is mounted, and its record true.
/// Throws Error(failed) where there is nothing to commit, for an empty message, a missing
/// identity, a signature that can't be made, a hook that fails or a branch that is gone;
/// Error(usage) for a path that is absolute, has "..", or matches nothing; Error(refused) where the
/// branch is not at `wafer.last_commit` or a worktree uses it. Nothing has changed then.
CommitResult commit_view(Wafer& wafer, const CommitRequest& request,
                         const std::function<void(const std::string& commit)>& about_to_move,
                         const std::function<void()>& mount_view = {});

}  // namespace wafers
