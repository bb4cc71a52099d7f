#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/commands/add_names.h"
#include "core/git_commands/types.h"
#include "core/state/store.h"
#include "os/spawn.h"

namespace wafers {

struct RunRequest {
  AddRequest wafer;  ///< with no name: a free one
  std::vector<std::string> command;
  std::optional<std::string> message;  ///< of the commit; absent: the command's words
  enum class Commit { on_success, always, never };
  Commit commit = Commit::on_success;
  bool keep = false;
};

struct RunResult {
  std::string name, branch;
  ExitStatus status;                   ///< the command's
  std::optional<CommitResult> commit;  ///< absent where there was nothing to commit
  bool kept = false;                   ///< the wafer is still there
  std::string why_kept;                ///< one clause; empty where it was asked for
};

/// `wafers run`: adds a wafer, has `enter` run in a child process, which enters it by that name and
/// becomes the command, commits what that left, and removes the wafer, with its branch where
/// nothing is on it. The wafer stays where the command fails, something is left uncommitted, or
/// what comes after the command fails, which is told by `notify`: the command has run. Throws as
/// add_wafers() does, and Error(failed).
RunResult run_in_wafer(const Store& store, const RunRequest& request,
                       const std::function<int(const std::string& name)>& enter,
                       const Notify& notify);

}  // namespace wafers
