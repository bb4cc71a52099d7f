#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/git_commands/types.h"
#include "core/state/wafer.h"

namespace wafers {

// As core/git_commands/commit.h: outside the namespace, under the wafer's lock, of a flushed view.

/// What `git status` would say in the view.
StatusResult status_of_view(const Wafer& wafer);

/// What to do with changes inside a submodule.
inline constexpr const char* kSubmoduleRemedy =
    "copy it into a checkout of the submodule and commit it there";

struct UncommittedWork {
  std::vector<std::string> lines;  ///< empty if the view equals the tip
  std::string remedy;              ///< how to keep it: "commit it with ..."
  bool for_a_commit = true;        ///< a commit can have all of it
};

/// Whether `rm` would lose something: modified, deleted or untracked (not ignored) files against
/// the tip, or a tip that no ref leads to. At most `limit` porcelain lines. A wafer whose base
/// repository is gone gives a line that says so.
UncommittedWork uncommitted_work(const Wafer& wafer, std::size_t limit);

}  // namespace wafers
