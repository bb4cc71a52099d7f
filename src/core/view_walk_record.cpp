#include <utility>

#include "core/view_walk.h"

// How the walk writes down what it found.

namespace wafers {

using git::FileMode;

/// read-cache.c: add_to_index, ce_mode_from_stat.
FileMode ViewWalk::mode_of(const struct stat& stat, const git::TreeEntry* tip) const {
  if (S_ISLNK(stat.st_mode)) return FileMode::symlink;
  const FileMode recorded = tip != nullptr ? tip->mode : FileMode::absent;
  if (!has_symlinks_ && recorded == FileMode::symlink) return FileMode::symlink;
  if (!trust_executable_bit_) {
    return recorded == FileMode::executable ? FileMode::executable : FileMode::regular;
  }
  return (stat.st_mode & S_IXUSR) != 0 ? FileMode::executable : FileMode::regular;
}

bool ViewWalk::is_refused(const Site& site, FileMode mode) const {
  return site.dir.forbidden || git::is_forbidden_component(site.name, protection_) ||
         (mode == FileMode::symlink && git::is_forbidden_symlink(site.name, protection_));
}

ViewWalk::Found ViewWalk::keep(const Site& site, const git::TreeEntry* entry) {
  if (entry == nullptr) return std::nullopt;
  git::IndexStat stat;
  if (input_.cache != nullptr && input_.purpose == SnapshotPurpose::commit) {
    // Not taken from the view now, but read once with this very content.
    const git::IndexEntry* known = input_.cache->find(site.path());
    if (known != nullptr && known->oid == entry->oid && known->mode == entry->mode &&
        is_proof(*known, *input_.cache)) {
      stat = known->stat;
    }
  }
  return take(site, entry->mode, entry->oid, stat);
}

ViewWalk::Found ViewWalk::take(const Site& site, FileMode mode, const git::Oid& oid,
                               const git::IndexStat& stat) {
  if (input_.purpose == SnapshotPurpose::commit) {
    const bool tree = mode == FileMode::tree;
    git::IndexEntry entry;
    entry.path = site.path() + (tree ? "/" : "");
    entry.mode = mode;
    entry.oid = oid;
    entry.stat = stat;
    entry.skip_worktree = tree;  // or git takes a sparse directory for damage
    out_.index.entries.push_back(std::move(entry));
  }
  return git::TreeEntry{.name = site.name, .mode = mode, .oid = oid};
}

/// Git would not go on here. The new tree gets what the tip has; status shows the change.
ViewWalk::Found ViewWalk::refuse(const Site& site, FileMode mode, std::string why) {
  out_.errors.push_back(std::move(why));
  const bool directory = site.upper != nullptr && site.upper->type == UpperEntryType::directory;
  if (site.tracked()) {
    changed(site, mode);
  } else if (!directory || mode == FileMode::gitlink) {
    out_.untracked.push_back(site.path() + (directory ? "/" : ""));
  }
  return keep(site, site.tip);
}

void ViewWalk::changed(const Site& site, FileMode mode) {
  out_.changes.push_back({.change = {.path = site.path(),
                                     .old_mode = site.tip->mode,
                                     .new_mode = mode,
                                     .old_oid = site.tip->oid,
                                     .new_oid = {}},
                          .untracked = false});
}

/// A whole directory. Where the tip has a file of that name, git's status tells of the deleted file
/// alone (wt-status.c: wt_status_collect_untracked asks index_name_is_other without the slash).
void ViewWalk::name_untracked(const Site& site) {
  if (!site.tracked()) out_.untracked.push_back(site.path() + "/");
}

}  // namespace wafers
