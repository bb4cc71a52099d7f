#pragma once

#include <memory>

#include "core/inside/inside_index.h"
#include "git/refs/lock_file.h"

namespace wafers {

/// Git's index of a view with git inside, about to have another tree staged: under git's own lock
/// for as long as this lives, with what it knew of the files that stay as they were. Of the others
/// git looks at the content once.
class IndexChange {
 public:
  /// Throws Error(busy) where git inside has the lock, or has changed the index since `before` was
  /// read; Error(failed).
  IndexChange(const Wafer& wafer, const git::Repository& repository, const InsideIndex& before,
              const git::Oid& tree);

  /// Throws Error(failed).
  void commit();

 private:
  const InsideIndex& before_;
  std::unique_ptr<git::LockFile> lock_;
};

}  // namespace wafers
