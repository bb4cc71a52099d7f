#pragma once

#include <optional>
#include <string>

#include "core/state/wafer.h"

namespace wafers {

/// Where HEAD of a view with git inside is.
struct InsideHead {
  std::string ref;     ///< full name of the ref that it is on; empty where it is detached
  std::string commit;  ///< where it is detached, hexadecimal
  /// What git has begun and not finished there, as it calls that: "rebase", "merge", "am",
  /// "cherry-pick", "revert", "bisect". Empty otherwise.
  std::string unfinished;

  bool is_on(const std::string& branch) const { return ref == "refs/heads/" + branch; }
  /// For people: "branch 'x'", or "1234567, on no branch".
  std::string described() const;
};

/// nullopt where it can't be read, or is of no form that git has.
std::optional<InsideHead> inside_head(const Wafer& wafer);

}  // namespace wafers
