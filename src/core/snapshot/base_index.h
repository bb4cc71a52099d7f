#pragma once

#include <optional>

#include "git/index/index_view.h"
#include "git/repository/repository.h"

namespace wafers {

/// Git's index of the base's worktree, as it is when it is first asked for.
class BaseIndex {
 public:
  /// `repository` must outlive this.
  explicit BaseIndex(const git::Repository& repository) : repository_(repository) {}

  /// Without entries where there is no index. Throws Error(failed) for one that can't be read.
  const git::IndexView& view() {
    if (!view_) {
      view_ = git::IndexView::open(repository_.git_dir() / "index", git::IndexChecksum::trusted);
      if (!view_) view_ = git::IndexView::empty();
    }
    return *view_;
  }

 private:
  const git::Repository& repository_;
  std::optional<git::IndexView> view_;
};

}  // namespace wafers
