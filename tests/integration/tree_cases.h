#pragma once

#include <string>
#include <vector>

namespace wafers::test {

/// One history of a view: what the base holds, what the agent does in the view, what git must make
/// of it. Scripts run through `sh -eu`, the same ones in the view and in a plain copy of the base.
struct TreeCase {
  std::string name = {};
  std::string base = {};   ///< runs in the empty repository, before everything is committed
  std::string steps = {};  ///< runs in the view
  std::string later = {};  ///< runs in the view after the commit; empty for one round
  /// Runs in the upper before it is mounted, with setfattr's names of marks beginning with $MARK.
  /// What the view then shows is what counts: it is copied to where git works.
  std::string forged = {};
  std::vector<std::string> paths = {};  ///< what the first round commits; empty for everything
  /// Why bare fuse-overlayfs shows something else than the plain copy after these steps. The case
  /// is then compared with a copy of what it shows.
  std::string fuse_shows_otherwise = {};
  /// Why bare fuse-overlayfs refuses these steps: there they must fail, and nothing is compared.
  std::string fuse_refuses = {};
  /// Why `git status` is known to say something else, and only the trees are compared.
  std::string status_differs = {};
  /// `git add` refuses the view, so wafers must. With `forged`: the view can't be read.
  bool refused = false;
};

std::vector<TreeCase> tree_cases();

}  // namespace wafers::test
