#pragma once

#include <optional>
#include <string>

#include "core/state/store.h"

namespace wafers {

struct PushRequest {
  std::optional<std::string> remote;  ///< name, URL or path; absent for the one that git would take
  bool force = false;
  bool force_with_lease = false;
  bool dry_run = false;
};

/// Pushes a wafer's branch by `git push` in the base repository, which prints for itself, asks for
/// credentials and runs the pre-push hook; the branch's upstream is set unless it has one. The
/// wafer isn't locked: a push may take long, and needs nothing but the branch. Throws Error(usage)
/// for a remote that there isn't, Error(failed) where there is none at all, the branch is gone, or
/// git failed.
void git_push(const Store& store, const std::string& name, const PushRequest& request);

}  // namespace wafers
