#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operation.h"

namespace wafers::fuzz {

/// What happens to the mount before a round's operations.
enum class Before { nothing, umount, kill };

/// Some operations in the view, and a commit of the whole view or of `paths`.
struct Round {
  std::vector<Operation> moves = {};  ///< what is done in the checkout before: see Moves
  Before before = Before::nothing;
  bool inside = false;  ///< committed by a process in the view
  bool patch = false;   ///< what git-diff prints is applied with git and compared
  std::vector<Operation> operations = {};
  std::vector<std::string> paths = {};
};

/// A base repository and what is done in a view of it: all there is to know about a case.
struct Scenario {
  /// Whether files keep the times that writing gave them. Else every file that an operation touched
  /// gets a time of its own long ago: where attributes change, what git looks at again depends on
  /// whether a file is as young as the index, and both answers would be git's.
  bool real_times = false;
  bool frozen = false;  ///< whether the wafer's base is
  std::vector<Operation> base = {};
  /// By which a commit differs that is frozen before: the base may become a delta layer above it.
  std::vector<Operation> near = {};
  std::vector<Round> rounds = {};
};

/// One operation a line, parts begun by `times`, `frozen`, `base` and `round`; those of a round
/// that are done in the checkout begin with `base.`, those of the near commit with `near.`.
std::string to_text(const Scenario& scenario);
/// The opposite; lines that begin with `#` don't count. Throws std::runtime_error.
Scenario parse_scenario(std::string_view text);

}  // namespace wafers::fuzz
