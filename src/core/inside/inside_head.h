#pragma once

#include <optional>
#include <string>

#include "core/state/wafer.h"
#include "git/objects/object.h"
#include "git/repository/repository.h"
#include "git/text/quote.h"

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

/// Notes in the reflog of that HEAD, which is on the wafer's branch, that the branch was moved from
/// outside. Where it can't be written nothing is lost: the branch's own has the same.
void log_in_head(const Wafer& wafer, const git::Repository& repository, const git::Oid& before,
                 const git::Oid& after, const git::Identity& who,
                 const std::string& message) noexcept;

}  // namespace wafers
