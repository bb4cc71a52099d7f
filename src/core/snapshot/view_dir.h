#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/snapshot/path_selection.h"
#include "core/snapshot/snapshot_types.h"
#include "git/objects/object.h"
#include "git/text/attributes.h"
#include "git/text/ignore.h"
#include "git/worktree/convert_config.h"
#include "linux/merged_dir.h"
#include "linux/upper.h"
#include "os/plain_dir.h"

namespace wafers {

/// What a directory of the view is made of. All parts may be missing: a directory that the view
/// shows is one of the upper, of the base, or of both; one that only the tip knows is deleted.
struct ViewLayers {
  std::optional<UpperDir> upper;
  UpperListing listing;          ///< of `upper`
  bool lower_visible = false;    ///< the lowerdir's directory of that name shows through, if any
  std::optional<git::Oid> base;  ///< the base commit's tree here
  std::optional<git::Oid> tip;   ///< the tip's tree here
};

/// One directory on the way of the walk, with the rules in force in it.
struct ViewDir {
  ViewDir* parent = nullptr;
  std::string name;
  std::string prefix;  ///< path from the root with a trailing '/', "" for the root
  ViewLayers layers;
  std::vector<git::TreeEntry> base, tip;  ///< entries of the layers' trees in byte order of names
  std::shared_ptr<const git::IgnoreScope> ignore;       ///< rules of the merged view
  std::shared_ptr<const git::IgnoreScope> base_ignore;  ///< rules of the base alone
  std::shared_ptr<const git::AttributeScope> attributes;
  /// The upper took patterns from an ignore file here or above, or added some that include: what
  /// the base ignored may count now.
  bool rules_changed = false;
  /// A component of `prefix` is one that git refuses.
  bool forbidden = false;
  PathSelection::Part selection;

  explicit ViewDir(PathSelection::Part part) : selection(part) {}
  std::string path_of(std::string_view entry) const { return prefix + std::string(entry); }
  const git::TreeEntry* find_base(std::string_view entry) const;
  const git::TreeEntry* find_tip(std::string_view entry) const;
  const UpperEntry* find_upper(std::string_view entry) const;

 private:
  friend class ViewDirs;
  std::optional<MergedDir> lower_;
  bool lower_tried_ = false;
};

/// Makes ViewDirs: reads their trees and their rule files. Ignore rules and attributes are those of
/// the merged view: the upper's file, else the base commit's blob (so that a base that moved on
/// can't be seen here; the base's file only where that is another text), else an untracked file of
/// the base. As in git, a rule file that is a symlink is not followed, and attributes fall back to
/// the tip's version.
class ViewDirs {
 public:
  /// The warnings go to `warnings`. All three must outlive this.
  ViewDirs(const SnapshotInput& input, std::vector<std::string>& warnings);

  std::unique_ptr<ViewDir> root(ViewLayers layers, PathSelection::Part selection) const;
  /// `parent` must outlive the child.
  std::unique_ptr<ViewDir> child(ViewDir& parent, const std::string& name, ViewLayers layers,
                                 PathSelection::Part selection) const;

  /// What `.gitmodules` of the view's root holds, or the tip's where the view has none.
  std::string modules_of_view(ViewDir& root) const;

  /// The base's directory, opened when first asked for; null where it doesn't show.
  const MergedDir* lower(ViewDir& dir) const;

  git::LetterCase letters() const noexcept { return letters_; }

 private:
  void read_trees(ViewDir& dir) const;
  void read_attributes(ViewDir& dir) const;
  bool is_rewritten(const ViewDir& dir, const std::string& file) const;
  std::vector<git::TreeEntry> sorted_tree(const std::optional<git::Oid>& tree) const;
  std::string rule_of_base(ViewDir& dir, const std::string& file) const;
  std::string rule_of_view(ViewDir& dir, const std::string& file) const;
  std::string worktree_or_index_rule(ViewDir& dir, const std::string& file) const;
  std::string read_rule(const PlainDir& dir, const std::string& file) const;

  const SnapshotInput& input_;
  std::vector<std::string>& warnings_;
  git::LetterCase letters_ = git::LetterCase::sensitive;
  git::PathProtection protection_;
  git::ConvertConfig config_;
};

}  // namespace wafers
