#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/commit.h"
#include "core/wafer_git.h"
#include "git/format.h"

namespace wafers {
namespace {

enum class Show { none, collapsed, all };

/// git-config(1), status.showUntrackedFiles.
Show configured_untracked(const git::Repository& repository) {
  const std::string value = repository.config("status.showUntrackedFiles").value_or("normal");
  if (value == "no" || value == "false" || value == "off" || value == "0") return Show::none;
  return value == "all" ? Show::all : Show::collapsed;
}

/// The letter for a tracked path of the worktree: 'T' where its type differs, else 'M'
/// (wt-status.c).
char letter_of(const git::TreeChange& change) {
  if (change.new_mode == git::FileMode::absent) return 'D';
  const auto type = [](git::FileMode mode) {
    return mode == git::FileMode::executable ? git::FileMode::regular : mode;
  };
  return type(change.old_mode) == type(change.new_mode) ? 'M' : 'T';
}

std::string line_of(const StatusEntry& entry, bool quote_high) {
  return std::string{entry.index_column, entry.view_column, ' '} +
         git::quote_status_path(entry.path, quote_high);
}

StatusResult entries_of(const Snapshot& snapshot, bool quote_high) {
  StatusResult result;
  for (const ViewChange& change : snapshot.changes) {
    if (change.untracked) continue;
    result.entries.push_back(
        {.path = change.change.path, .index_column = ' ', .view_column = letter_of(change.change)});
  }
  for (const std::string& path : snapshot.untracked) {
    result.entries.push_back({.path = path, .index_column = '?', .view_column = '?'});
  }
  for (const StatusEntry& entry : result.entries) {
    result.lines.push_back(line_of(entry, quote_high));
  }
  return result;
}

}  // namespace

StatusResult status_of_view(const Wafer& wafer) {
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_memory);
  const Show show = configured_untracked(git.repository);
  SnapshotInput input = snapshot_input(wafer, git, *objects, SnapshotPurpose::status);
  if (show == Show::all) input.untracked = UntrackedNames::all;
  Snapshot snapshot = take_snapshot(input);
  if (show == Show::none) snapshot.untracked.clear();
  StatusResult result = entries_of(snapshot, git.repository.config_bool("core.quotePath", true));
  result.warnings = std::move(snapshot.warnings);
  for (std::string& error : snapshot.errors) result.warnings.push_back(std::move(error));
  if (std::string moved = describe_moved_branch(wafer, git); !moved.empty()) {
    result.warnings.push_back(std::move(moved));
  }
  return result;
}

std::vector<std::string> uncommitted_work(const Wafer& wafer, std::size_t limit) {
  std::vector<std::string> lines;
  try {
    const WaferGit git = open_wafer_git(wafer);
    const auto objects = git.repository.objects(git::Writes::to_memory);
    const Snapshot snapshot =
        take_snapshot(snapshot_input(wafer, git, *objects, SnapshotPurpose::status));
    lines = entries_of(snapshot, true).lines;
    // What can't be read may be work, too, even where status has no line for it.
    if (lines.empty()) lines = snapshot.errors;
    for (const std::string& path : snapshot.repositories) {
      lines.push_back(printable(path) + ": a repository of its own, kept by this wafer alone");
    }
    if (!git.repository.is_descendant_or_same(*git.branch, git.tip)) {
      lines.insert(lines.begin(), describe_moved_branch(wafer, git));
    }
  } catch (const Error& error) {
    lines = {error.message()};
  }
  lines.resize(std::min(lines.size(), limit));
  return lines;
}

}  // namespace wafers
