#pragma once

#include <string_view>

#include "core/git_commands/types.h"
#include "core/state/wafer.h"
#include "os/scratch.h"
#include "os/spawn.h"

namespace wafers {

/// What the names of directories below the state directory begin with in which git-diff works.
/// The process that makes one has claimed it (os/claim.h).
inline constexpr std::string_view kDiffPrefix = ".diff-";

/// `git diff` of one of a wafer's ranges, ready to run. Git prints it itself, so that every setting
/// and attribute, the colours and the pager are as its users have them.
///
/// What the view has and the repository hasn't lies in an object directory of its own, in the state
/// directory, where sweep() finds it if we are killed. Beside it is a worktree of nothing but
/// `.gitattributes` files: git looks at those of the worktree, and the base's are not the view's.
class DiffProgram {
 public:
  /// Reads the upper; later nothing does. Throws as commit_view() does for bad paths, and
  /// Error(unsupported) where git is not installed.
  DiffProgram(const Wafer& wafer, const DiffRequest& request);
  DiffProgram(const DiffProgram&) = delete;
  DiffProgram& operator=(const DiffProgram&) = delete;

  const Command& command() const noexcept { return command_; }

  /// For a person who asked for what is committed: there is nothing, but something that isn't.
  bool shows_less() const noexcept { return shows_less_; }

 private:
  Scratch scratch_;
  Command command_;
  bool shows_less_ = false;
};

}  // namespace wafers
