#include "git/diff.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/commit.h"
#include "core/wafer_git.h"

namespace wafers {
namespace {

git::DiffFormat format_of(DiffStyle style) {
  switch (style) {
    case DiffStyle::patch:
      break;
    case DiffStyle::stat:
      return git::DiffFormat::stat;
    case DiffStyle::name_only:
      return git::DiffFormat::name_only;
    case DiffStyle::name_status:
      return git::DiffFormat::name_status;
  }
  return git::DiffFormat::patch;
}

bool exists_in(git::ObjectStore& objects, git::Oid tree, const std::string& path) {
  const std::vector<std::string> components = split(path, '/');
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (components[i].empty()) return true;  // "dir/", and the loop came to a tree
    const auto entries = objects.read_tree(tree);
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto& entry) { return entry.name == components[i]; });
    if (found == entries.end()) return false;
    if (i + 1 == components.size()) return true;
    if (found->mode != git::FileMode::tree) return false;
    tree = found->oid;
  }
  return true;
}

/// The view's tree, kept in memory. Where paths are given, the rest of it is what is staged.
Snapshot snapshot_for_diff(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                           const std::vector<std::string>& paths) {
  SnapshotInput input = snapshot_input(wafer, git, objects, SnapshotPurpose::diff);
  input.paths = paths;
  Snapshot snapshot = take_snapshot(input);
  require_committable(snapshot);
  return snapshot;
}

}  // namespace

void diff_of_view(const Wafer& wafer, const DiffRequest& request,
                  const std::function<void(std::string_view)>& out) {
  const std::vector<std::string> paths = clean_paths(request.paths);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_memory);
  const bool from_base = request.range != DiffRange::tip_to_view;
  const git::Oid old_tree = from_base ? git.base_tree : git.tip_tree;
  git::Oid new_tree = git.tip_tree;
  std::vector<std::string> unmatched = paths;
  if (request.range != DiffRange::base_to_tip) {
    Snapshot snapshot = snapshot_for_diff(wafer, git, *objects, paths);
    new_tree = snapshot.tree;
    unmatched = std::move(snapshot.unmatched_paths);
  }
  std::erase_if(unmatched, [&](const std::string& path) {
    return exists_in(*objects, old_tree, path) || exists_in(*objects, new_tree, path);
  });
  require_matched(unmatched);

  git::DiffOptions options;
  options.format = format_of(request.style);
  options.colour = request.colour;
  options.paths = paths;
  options.stat_width = request.width;
  git::write_diff(git.repository, *objects, old_tree, new_tree, options, out);
}

}  // namespace wafers
