#include "core/git_commands/restore.h"

#include <utility>

#include "base/error.h"
#include "core/git_commands/git_in_view.h"
#include "core/git_commands/stage.h"
#include "core/git_commands/wafer_git.h"
#include "git/program/git_program.h"

namespace wafers {
namespace {

/// The files that the view has otherwise than what is staged, or doesn't have, as that has them.
git::IndexFile differing(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                         const std::vector<std::string>& paths) {
  const Snapshot snapshot =
      take_snapshot(snapshot_input(wafer, git, objects, SnapshotPurpose::status, paths));
  git::IndexFile index;
  for (const ViewChange& found : snapshot.changes) {
    if (found.change.old_mode == git::FileMode::absent) continue;
    git::IndexEntry entry;
    entry.path = found.change.path;
    entry.mode = found.change.old_mode;
    entry.oid = found.change.old_oid;
    index.entries.push_back(std::move(entry));
  }
  return index;
}

}  // namespace

void restore_view(const Wafer& wafer, const std::vector<std::string>& paths) {
  const std::vector<std::string> selected = clean_paths(paths);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_memory);
  std::vector<std::string> unmatched = selected;
  std::erase_if(unmatched,
                [&](const std::string& path) { return tree_has(*objects, git.index_tree, path); });
  require_matched(unmatched);
  const git::IndexFile index = differing(wafer, git, *objects, selected);
  if (index.entries.empty()) return;
  const GitInView in_view(wafer, git.repository, index);
  Command command =
      git::git_command_in(wafer.root(), {"checkout-index", "--all", "--force", "--quiet"});
  command.environment = in_view.environment();
  const int status = in_view.run(command);
  if (status == 0) return;
  throw Error(ErrorKind::failed, "git checkout-index ended with status " + std::to_string(status));
}

void restore_staged(Wafer& wafer, const std::vector<std::string>& paths,
                    const std::function<void()>& save) {
  const std::vector<std::string> selected = clean_paths(paths);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_database);
  std::vector<std::string> unmatched = selected;
  std::erase_if(unmatched, [&](const std::string& path) {
    return tree_has(*objects, git.index_tree, path) || tree_has(*objects, git.tip_tree, path);
  });
  require_matched(unmatched);
  const git::Oid tree = selected.empty()
                            ? git.tip_tree
                            : tree_with_paths_of(*objects, git.index_tree, git.tip_tree, selected);
  objects->flush();
  note_staged(wafer, git, tree, save);
}

}  // namespace wafers
