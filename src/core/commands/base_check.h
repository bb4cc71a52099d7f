#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "git/clean/clean_check.h"
#include "git/clean/private_index.h"
#include "git/clean/tracked_files.h"
#include "git/objects/object.h"
#include "git/repository/repository.h"
#include "os/scratch.h"

namespace wafers {

/// The directory below the state directory with the indexes of bases as git has refreshed them, one
/// for each base.
inline constexpr std::string_view kCheckedIndexes = ".verified";

/// What the names of directories below the state directory begin with in which git checks a base.
/// Whoever makes one has claimed it (os/claim.h).
inline constexpr std::string_view kCheckPrefix = ".checking-";

/// Git's look at a base. Neither its worktree nor any index of it is written: git
/// works on a copy, in a directory of the state that lives as long as this.
class BaseCheck {
 public:
  enum class Owners { any, looked_at };

  /// Makes the directory. Throws Error(failed).
  explicit BaseCheck(std::filesystem::path state_root);

  /// What is uncommitted in the base.
  enum class Changes {
    refused,
    listed,  ///< in changes()
    shown,   ///< the first ones, in shown()
  };

  /// Once. Throws Error(refused) with the first entries of a base that is not clean where changes
  /// are refused, or where they are listed, has conflicts; Error(unsupported) where git is not
  /// installed, Error(failed) where git fails, or unless changes are only shown, its HEAD is not
  /// `head` in the end.
  void look(const git::Repository& base, const git::Oid& head, Owners owners,
            Changes changes = Changes::refused);

  /// Git's, of what may not be looked at.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// Empty where they aren't listed.
  const git::WorktreeChanges& changes() const noexcept { return changes_; }

  /// As `git status --porcelain` has them, at most five.
  const std::vector<std::string>& shown() const noexcept { return shown_; }

  /// What is of others (git/clean/tracked_files.h); empty with Owners::any.
  const std::vector<git::OwnedFiles>& of_others() const noexcept { return of_others_; }

  /// The base's index as git has refreshed it. Throws Error(failed).
  git::IndexView index() { return index_->open(); }

  /// Leaves to the next check what was learnt. Once, and the last that is done with it.
  void remember() const noexcept { index_->remember(); }

 private:
  std::filesystem::path state_root_;
  Scratch scratch_;
  std::optional<git::PrivateIndex> index_;
  std::vector<git::OwnedFiles> of_others_;
  std::vector<std::string> warnings_;
  git::WorktreeChanges changes_;
  std::vector<std::string> shown_;
};

}  // namespace wafers
