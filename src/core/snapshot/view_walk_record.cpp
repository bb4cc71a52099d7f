#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/snapshot/view_walk.h"

// How the walk writes down what it found.

namespace wafers {
namespace {

using git::FileMode;

/// What a cache that is written later may say of the file.
git::IndexStat still_proof(const git::IndexEntry& entry, const git::IndexFile& cache) {
  return is_proof(entry, cache) ? entry.stat : git::IndexStat{.size = entry.stat.size};
}

}  // namespace

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
  if (entry->mode == FileMode::tree && keep_cached(site)) return *entry;
  git::IndexStat stat;
  if (input_.cache != nullptr && input_.purpose == SnapshotPurpose::commit) {
    // Not taken from the view now, but read once with this very content.
    const git::IndexEntry* known = input_.cache->find(site.path());
    if (known != nullptr && known->oid == entry->oid && known->mode == entry->mode) {
      stat = still_proof(*known, *input_.cache);
    }
  }
  return take(site, entry->mode, entry->oid, stat);
}

/// Nothing of this directory of the tip is taken from the view now: what the cache knows of its
/// files stays known. False where it knows nothing, or is not of this tip.
bool ViewWalk::keep_cached(const Site& site) {
  const git::IndexFile* cache = input_.cache;
  if (cache == nullptr || input_.purpose != SnapshotPurpose::commit) return false;
  if (!site.part.nothing() || cache->cached_tree != input_.compared_tree) return false;
  const std::string prefix = site.path() + "/";
  const auto before = [](const git::IndexEntry& known, const std::string& path) {
    return known.path < path;
  };
  auto entry = std::lower_bound(cache->entries.begin(), cache->entries.end(), prefix, before);
  const std::size_t entries_before = out_.index.entries.size();
  for (; entry != cache->entries.end() && entry->path.starts_with(prefix); ++entry) {
    out_.index.entries.push_back(*entry);
    if (entry->mode != FileMode::tree) {
      out_.index.entries.back().stat = still_proof(*entry, *cache);
    }
  }
  return out_.index.entries.size() > entries_before;
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
  const bool directory = is_directory(site);
  if (site.tracked()) {
    changed(site, mode);
  } else if (!directory || mode == FileMode::gitlink) {
    out_.untracked.push_back(site.path() + (directory ? "/" : ""));
  }
  return keep(site, site.tip);
}

void ViewWalk::saw(const std::string& path, FileMode mode, const BlobReader::Result& blob) {
  const bool is_proof = blob.stat != git::IndexStat{.size = blob.stat.size};
  if (!blob.plain || !is_proof) return;
  git::IndexEntry& entry = out_.seen.entries.emplace_back();
  entry.path = path;
  entry.mode = mode;
  entry.oid = blob.oid;
  entry.stat = blob.stat;
  out_.seen_anew = out_.seen_anew || !blob.seen_before;
}

void ViewWalk::changed(const Site& site, FileMode mode, const git::Oid& oid) {
  out_.changes.push_back({.change = {.path = site.path(),
                                     .old_mode = site.tip->mode,
                                     .new_mode = mode,
                                     .old_oid = site.tip->oid,
                                     .new_oid = oid},
                          .untracked = false});
}

/// A whole directory. Where the tip has a file of that name, git's status tells of the deleted file
/// alone (wt-status.c: wt_status_collect_untracked asks index_name_is_other without the slash).
void ViewWalk::name_untracked(const Site& site) {
  if (!site.tracked()) out_.untracked.push_back(site.path() + "/");
}

}  // namespace wafers
