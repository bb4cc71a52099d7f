#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/git_commands/types.h"
#include "core/state/store.h"

namespace wafers {

// The git side of one wafer by its name: takes its lock, makes sure that what was written through
// the view can be read from the upper, and keeps the record true. Mounted or not makes no
// difference. All throw Error as core/git_commands/commit.h says; what writes also Error(refused)
// for a wafer that is unclean (core/state/unclean.h).

/// If a command was cut off after it had moved the branch, the tip is our own doing; one that was
/// cut off before it did is gone on with. Does nothing where that can't be: another command, or
/// what is said of the branch then, tells why.
void settle_branch(LockedWafer& wafer);

/// Commits, and remembers the new tip. A commit that a killed command had moved the branch to
/// already counts as our own.
CommitResult git_commit(const Store& store, const std::string& name, const CommitRequest& request);

/// Stages `paths` of the view for the next commit (core/git_commands/stage.h). Throws Error(usage)
/// where there are none and for those that git_commit() refuses, and Error(failed) for ignored
/// ones; nothing has changed then.
StageResult git_add(const Store& store, const std::string& name, const StageRequest& request);

/// The same of hunks that git asks for, one by one; the view is mounted where it isn't.
StageResult git_add_patch(const Store& store, const std::string& name, const StageRequest& request);

/// `git restore` of the view, which is mounted where it isn't, or of what is staged
/// (core/git_commands/restore.h).
enum class Restored { view, staged };
void git_restore(const Store& store, const std::string& name, const std::vector<std::string>& paths,
                 Restored what);

struct NamedStatus {
  std::string branch;
  StatusResult status;
};
NamedStatus git_status(const Store& store, const std::string& name);

/// Prints by the git program on our standard output, through git's pager where that is a terminal.
/// The wafer's lock is held only until the view has been read. Returns the signal that git ended
/// by, if any (SIGPIPE where its reader went away); throws Error(failed) where it failed, of which
/// git has told then.
std::optional<int> git_diff(const Store& store, const std::string& name,
                            const DiffRequest& request);

}  // namespace wafers
