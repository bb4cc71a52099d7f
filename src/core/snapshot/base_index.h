#pragma once

#include <filesystem>
#include <optional>

#include "git/index/index_view.h"

namespace wafers {

/// Git's index of the files in the base's lowest layer, as it is when it is first asked for.
class BaseIndex {
 public:
  /// `file` must outlive this.
  explicit BaseIndex(const std::filesystem::path& file) : file_(file) {}

  /// Without entries where there is no index. Throws Error(failed) for one that can't be read.
  const git::IndexView& view() {
    if (!view_) {
      view_ = git::IndexView::open(file_, git::IndexChecksum::trusted);
      if (!view_) view_ = git::IndexView::empty();
    }
    return *view_;
  }

 private:
  const std::filesystem::path& file_;
  std::optional<git::IndexView> view_;
};

}  // namespace wafers
