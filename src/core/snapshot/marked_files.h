#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/snapshot/base_index.h"
#include "core/snapshot/snapshot_types.h"
#include "git/objects/object.h"
#include "linux/merged_dir.h"
#include "os/plain_dir.h"

namespace wafers {

/// The files of the base that git was told not to look at: its index marks them skip-worktree, as a
/// sparse checkout does, or assume-unchanged. The base may have them changed or missing and still
/// is clean, so what its worktree has, and not its commit, is what the view shows of them. The
/// files of a frozen base are none. The index is read when it is first needed. Everything throws
/// Error(failed) for what can't be read.
class MarkedFiles {
 public:
  /// Both must outlive this.
  MarkedFiles(const SnapshotInput& input, BaseIndex& index) : input_(input), index_(index) {}

  bool is_marked(std::string_view path);
  /// Whether there are any below "directory/".
  bool any_below(std::string_view prefix);
  /// Whether the view never had the marked file `path`, since the base's worktree doesn't have it.
  bool is_left_out(const std::string& path);

  /// What the commit `base_tree` has at `path`, where that is marked and the file `name` of the
  /// view's layer `dir`, of that `mode`, is as the base's worktree has it: the user's local change,
  /// and not the agent's. A mode that isn't the worktree's is the agent's and comes back. Throws
  /// ChangedMeanwhile where the file is no longer what `stat` says.
  struct ViewedFile {
    const PlainDir& dir;
    const std::string& name;
    const struct stat& stat;
    git::FileMode mode = git::FileMode::regular;
  };
  std::optional<git::TreeEntry> committed_version(const std::string& path, const ViewedFile& file,
                                                  git::ObjectStore& objects,
                                                  const git::Oid& base_tree);

 private:
  const std::vector<std::string>& paths();
  MergedDir directory_of(const std::string& path) const;

  const SnapshotInput& input_;
  BaseIndex& index_;
  std::optional<std::vector<std::string>>
      paths_;  ///< in byte order; a sparse directory ends in '/'
};

}  // namespace wafers
