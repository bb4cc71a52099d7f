#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "linux/merged_dir.h"

namespace wafers {

/// Which paths a partial snapshot takes from the view, and which of them it has met.
class PathSelection {
 public:
  /// `paths` as in SnapshotInput; none selects everything.
  explicit PathSelection(const std::vector<std::string>& paths);

  struct Node;

  /// The selection's view of one directory or file.
  class Part {
   public:
    /// The part of this directory's entry `name`.
    Part child(std::string_view name) const;
    bool nothing() const noexcept { return !all_ && node_ == nullptr; }
    /// Selected itself or by a directory above; else only some of what lies below is.
    bool all() const noexcept { return all_; }
    /// Whether a path ends here or below: its existence is to be reported.
    bool named() const noexcept { return node_ != nullptr; }

    /// The path exists in the view or in the tip.
    void matched(bool is_directory) const;
    /// The path exists but is ignored, and so is all below it.
    void ignored() const;
    /// Of what is below, all that is there in this directory of the view exists.
    void matched_in(const MergedDir& directory) const;

   private:
    friend class PathSelection;
    Part(Node* node, bool all) : node_(node), all_(all) {}
    Node* node_ = nullptr;
    bool all_ = false;
  };

  Part root() const;
  std::vector<std::string> unmatched() const;
  std::vector<std::string> ignored() const;

  PathSelection(const PathSelection&) = delete;
  PathSelection& operator=(const PathSelection&) = delete;
  ~PathSelection();

 private:
  std::unique_ptr<Node> root_;  ///< null selects everything
};

}  // namespace wafers
