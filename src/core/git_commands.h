#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/commit.h"
#include "core/store.h"

namespace wafers {

// The git side of one wafer by its name: takes its lock, makes sure that what was written through
// the view can be read from the upper, and keeps the record true. Mounted or not makes no
// difference. All throw Error as core/commit.h says.

/// Commits, and remembers the new tip. A commit that a killed command had moved the branch to
/// already counts as our own.
CommitResult git_commit(const Store& store, const std::string& name, const CommitRequest& request);

struct NamedStatus {
  std::string branch;
  StatusResult status;
};
NamedStatus git_status(const Store& store, const std::string& name);

void git_diff(const Store& store, const std::string& name, const DiffRequest& request,
              const std::function<void(std::string_view)>& out);

}  // namespace wafers
