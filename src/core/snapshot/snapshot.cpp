#include "core/snapshot/snapshot.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/snapshot/path_selection.h"
#include "core/snapshot/view_walk.h"
#include "git/diff/diff.h"
#include "os/deep_stack.h"

namespace wafers {
namespace {

/// Adds to the changes that the walk noted those that show in the trees.
void complete_changes(const SnapshotInput& input, Snapshot& snapshot) {
  for (auto& change : git::changed_paths(*input.objects, input.compared_tree, snapshot.tree)) {
    const bool untracked = change.old_mode == git::FileMode::absent;
    snapshot.changes.push_back({.change = std::move(change), .untracked = untracked});
  }
  const auto by_path = [](const ViewChange& a, const ViewChange& b) {
    return a.change.path < b.change.path;
  };
  auto& changes = snapshot.changes;
  if (!std::is_sorted(changes.begin(), changes.end(), by_path)) {
    std::sort(changes.begin(), changes.end(), by_path);
  }
}

Snapshot walk_view(const SnapshotInput& input) {
  const PathSelection selection(input.paths);
  Snapshot snapshot;
  const std::optional<git::Oid> tree = ViewWalk(input, selection, snapshot).run();
  snapshot.tree = tree ? *tree : input.objects->write_tree({});
  complete_changes(input, snapshot);
  std::sort(snapshot.untracked.begin(), snapshot.untracked.end());
  for (git::IndexFile* index : {&snapshot.index, &snapshot.seen}) {
    const auto by_path = [](const git::IndexEntry& a, const git::IndexEntry& b) {
      return a.path < b.path;
    };
    if (!std::is_sorted(index->entries.begin(), index->entries.end(), by_path)) {
      std::sort(index->entries.begin(), index->entries.end(), by_path);
    }
  }
  snapshot.index.has_sparse_dirs =
      std::any_of(snapshot.index.entries.begin(), snapshot.index.entries.end(),
                  [](const git::IndexEntry& entry) { return entry.mode == git::FileMode::tree; });
  snapshot.index.cached_tree = snapshot.tree;
  snapshot.unmatched_paths = selection.unmatched();
  snapshot.ignored_paths = selection.ignored();
  return snapshot;
}

}  // namespace

Snapshot take_snapshot(const SnapshotInput& input) {
  Snapshot snapshot;
  // The walk goes down with the directories, whose depth the agent chooses.
  on_deep_stack([&] { snapshot = walk_view(input); });
  return snapshot;
}

}  // namespace wafers
