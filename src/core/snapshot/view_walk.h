#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/snapshot/base_index.h"
#include "core/snapshot/marked_files.h"
#include "core/snapshot/nested_repo.h"
#include "core/snapshot/path_selection.h"
#include "core/snapshot/snapshot_types.h"
#include "core/snapshot/submodule_config.h"
#include "core/snapshot/view_blob.h"
#include "core/snapshot/view_dir.h"

namespace wafers {

/// The walk of one snapshot: through the upper, and through the base's and the tip's trees where
/// they differ or the upper has something below them. Each name is decided from what the three
/// have there, as `git add -A` would decide with the tip in its index and the view as its worktree.
class ViewWalk {
 public:
  /// Everything must outlive the walk. `out` gets names, warnings, errors, index entries, and those
  /// changes that the trees can't tell.
  ViewWalk(const SnapshotInput& input, const PathSelection& selection, Snapshot& out);

  /// The new tree; absent where it is empty.
  std::optional<git::Oid> run();

 private:
  using Found = std::optional<git::TreeEntry>;

  /// What the upper, the base's tree and the tip's tree have at one name of a directory.
  struct Site {
    ViewDir& dir;
    const std::string& name;
    const UpperEntry* upper = nullptr;
    const git::TreeEntry* base = nullptr;
    const git::TreeEntry* tip = nullptr;
    PathSelection::Part part;

    std::string path() const { return dir.path_of(name); }
    /// Git's index can have one of these at the path itself, never a directory.
    bool tracked() const { return tip != nullptr && tip->mode != git::FileMode::tree; }
    bool tip_is_submodule() const;
    /// What the tip has here, if that is a file or symlink; else null.
    const git::TreeEntry* recorded_blob() const;
    bool ignored(bool is_directory) const { return dir.ignore->is_ignored(name, is_directory); }
  };

  static std::optional<git::Oid> tree_of(const git::TreeEntry* entry);
  std::optional<git::Oid> walk(ViewDir& dir);
  bool named_enough(const ViewDir& dir, std::size_t untracked_before) const;
  std::optional<git::Oid> tree_from(const ViewDir& dir, std::vector<git::TreeEntry> entries);

  // What becomes of one name: an entry of the new tree, or nothing.
  Found visit(const Site& site);
  Found visit_again(Site site);
  Found decide(const Site& site);
  Found only_in_base(const Site& site);
  Found only_in_lower(const Site& site);
  Found whiteout(const Site& site);
  Found file(const Site& site, const PlainDir& layer, const struct stat& stat);
  Found blob(const Site& site, const PlainDir& layer, const struct stat& stat, git::FileMode mode);
  BlobReader::Result read(const ViewFile& file, git::FileMode& mode);
  Found special(const Site& site);
  Found upper_directory(const Site& site);
  Found directory(const Site& site, ViewLayers layers);
  Found tracked_directory(const Site& site, ViewLayers layers);
  Found untracked_directory(const Site& site, ViewLayers layers);
  Found submodule(const Site& site, const ViewLayers& layers);
  Found nested_repo(const Site& site, const NestedRepoFinder::Repo& repo);
  Found no_directory(const Site& site);

  Found left_out(const std::string& path, const git::TreeEntry* base, const git::TreeEntry* tip);
  std::optional<NestedRepoFinder::Repo> find_repo(const Site& site, const ViewLayers& layers);
  MergedDir merged(const Site& site, const ViewLayers& layers);
  bool is_modified(const Site& site, const ViewLayers& layers, SubmoduleIgnore ignore);
  SubmoduleIgnore configured_ignore(const std::string& path);
  git::FileMode mode_of(const struct stat& stat, const git::TreeEntry* tip) const;
  bool is_refused(const Site& site, git::FileMode mode) const;

  // How it is written down.
  Found keep(const Site& site, const git::TreeEntry* entry);
  bool keep_cached(const Site& site);
  Found take(const Site& site, git::FileMode mode, const git::Oid& oid,
             const git::IndexStat& stat = {});
  Found refuse(const Site& site, git::FileMode mode, std::string why);
  Found unreadable(const Site& site, const Unreadable& error);
  Found passed_over(const Site& site, int err);
  bool is_directory(const Site& site);
  bool may_be_opened(const Site& site);
  void saw(const std::string& path, git::FileMode mode, const BlobReader::Result& blob);
  void changed(const Site& site, git::FileMode mode, const git::Oid& oid = {});
  void name_untracked(const Site& site);
  void tell_modified(const Site& site, bool moved);

  const SnapshotInput& input_;
  const PathSelection& selection_;
  Snapshot& out_;
  ViewDirs dirs_;
  BaseIndex base_index_;
  BlobReader blobs_;
  NestedRepoFinder repos_;
  MarkedFiles marked_;
  std::string gitmodules_;                     ///< what the view's `.gitmodules` holds
  std::optional<SubmoduleConfig> submodules_;  ///< once there was one
  git::PathProtection protection_;
  bool trust_executable_bit_ = true;  ///< core.fileMode
  bool has_symlinks_ = true;          ///< core.symlinks
};

}  // namespace wafers
