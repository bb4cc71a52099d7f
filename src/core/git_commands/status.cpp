#include "core/git_commands/status.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/base/moved_content.h"
#include "core/git_commands/stage.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/state/unclean.h"
#include "core/view/mountpoint.h"
#include "git/diff/diff.h"
#include "git/objects/change_letter.h"
#include "git/text/quote.h"

namespace wafers {
namespace {

enum class Show { none, collapsed, all };

/// git-config(1), status.showUntrackedFiles.
Show configured_untracked(const git::Repository& repository) {
  const std::string value = repository.config("status.showUntrackedFiles").value_or("normal");
  if (value == "no" || value == "false" || value == "off" || value == "0") return Show::none;
  return value == "all" ? Show::all : Show::collapsed;
}

std::string line_of(const StatusEntry& entry, bool quote_high) {
  std::string line{entry.index_column, entry.view_column, ' '};
  if (!entry.old_path.empty()) {
    line += git::quote_status_path(entry.old_path, quote_high) + " -> ";
  }
  return line + git::quote_status_path(entry.path, quote_high);
}

/// What is staged against the tip. git looks for renames there and nowhere else (wt-status.c).
std::vector<git::NamedChange> staged_changes(const WaferGit& git, git::ObjectStore& objects) {
  if (!has_staged(git)) return {};
  return git::named_changes(git.repository, objects, git.tip_tree, git.index_tree);
}

/// Tracked paths in git's order, each with both columns.
std::map<std::string, StatusEntry> tracked_entries(const Snapshot& snapshot,
                                                   const std::vector<git::NamedChange>& staged) {
  std::map<std::string, StatusEntry> entries;
  for (const git::NamedChange& change : staged) {
    StatusEntry& entry = entries[change.path];
    entry.index_column = change.letter;
    entry.old_path = change.old_path;
  }
  for (const ViewChange& change : snapshot.changes) {
    if (change.untracked) continue;
    const auto entry = entries.try_emplace(entries.end(), change.change.path);
    entry->second.view_column = letter_of(change.change);
  }
  return entries;
}

StatusResult entries_of(const Snapshot& snapshot, const std::vector<git::NamedChange>& staged,
                        bool quote_high) {
  StatusResult result;
  for (auto& [path, entry] : tracked_entries(snapshot, staged)) {
    entry.path = path;
    result.entries.push_back(std::move(entry));
  }
  for (const std::string& path : snapshot.untracked) {
    result.entries.push_back(
        {.path = path, .index_column = '?', .view_column = '?', .old_path = {}});
  }
  for (const StatusEntry& entry : result.entries) {
    result.lines.push_back(line_of(entry, quote_high));
  }
  return result;
}

/// How many changes no commit can have, since they are inside submodules.
std::size_t only_inside_submodules(const Snapshot& snapshot) {
  const auto is_inside = [&](const ViewChange& change) {
    return change.change.new_mode == git::FileMode::gitlink && change.change.new_oid.is_zero() &&
           std::find(snapshot.modified_submodules.begin(), snapshot.modified_submodules.end(),
                     change.change.path) != snapshot.modified_submodules.end();
  };
  return static_cast<std::size_t>(
      std::count_if(snapshot.changes.begin(), snapshot.changes.end(), is_inside));
}

}  // namespace

StatusResult status_of_view(const Wafer& wafer) {
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_memory);
  const Show show = configured_untracked(git.repository);
  SnapshotInput input = snapshot_input(wafer, git, *objects, SnapshotPurpose::status);
  if (show == Show::all) input.untracked = UntrackedNames::all;
  input.heed_submodule_ignore = true;
  Snapshot snapshot = take_snapshot(input);
  remember_seen(wafer, snapshot);
  if (show == Show::none) snapshot.untracked.clear();
  StatusResult result = entries_of(snapshot, staged_changes(git, *objects),
                                   git.repository.config_bool("core.quotePath", true));
  result.colour = git.repository.config("color.status");
  if (!result.colour) result.colour = git.repository.config("color.ui");
  result.warnings = std::move(snapshot.warnings);
  for (std::string& error : snapshot.errors) result.warnings.push_back(std::move(error));
  result.taken =
      taken_from_moved_base(wafer, git.repository, *objects, {git.base_tree, git.tip_tree});
  if (!wafer.staged_tree.empty() && !has_staged(git)) {
    result.warnings.emplace_back("what was staged is gone from the repository: stage it again");
  }
  if (const auto outside = written_outside(wafer); !outside.empty()) {
    result.warnings.push_back(
        "not in the view: files that were written to its mountpoint from "
        "outside, such as " +
        in_quotes((wafer.mountpoint / outside.front()).native()));
  }
  if (auto trouble = branch_trouble(wafer, git, git.tip)) {
    result.warnings.push_back(std::move(trouble->what));
    result.hint = std::move(trouble->remedy);
  }
  return result;
}

UncommittedWork uncommitted_work(const Wafer& wafer, std::size_t limit) {
  UncommittedWork work{.lines = {},
                       .remedy = "commit it with 'wafers git-commit " + wafer.name + "'"};
  std::vector<std::string>& lines = work.lines;
  try {
    WaferGit git = open_wafer_git(wafer);
    const bool doubtful = drop_doubtful_stat_data(wafer, git);
    const auto objects = git.repository.objects(git::Writes::to_memory);
    Snapshot snapshot =
        take_snapshot(snapshot_input(wafer, git, *objects, SnapshotPurpose::status));
    forget_borrowing(wafer, snapshot);
    lines = entries_of(snapshot, staged_changes(git, *objects), true).lines;
    // Else the commit that is asked for now would not find it.
    if (doubtful && !lines.empty()) forget_stat_data(wafer);
    if (!lines.empty() && lines.size() == only_inside_submodules(snapshot)) {
      work.remedy = kSubmoduleRemedy;
    }
    work.for_a_commit = beyond_commits(snapshot).empty();
    // What can't be read may be work, too, even where status has no line for it.
    if (lines.empty()) lines = snapshot.errors;
    if (lines.empty()) lines = snapshot.unreadable;
    if (lines.empty() && !snapshot.repositories.empty()) {
      work.remedy = "push its commits to another repository";
    }
    for (const std::string& path : snapshot.repositories) {
      lines.push_back(printable(path) + ": a repository of its own, kept by this wafer alone");
    }
    for (const std::string& path :
         taken_from_moved_base(wafer, git.repository, *objects, {git.base_tree, git.tip_tree})) {
      lines.push_back(printable(path) + ": taken from the base when that moved");
    }
    if (auto lost = lost_tip(wafer, git.repository, git.tip)) {
      lines.insert(lines.begin(), std::move(lost->what));
      work.remedy = std::move(lost->remedy);
    }
  } catch (const Error& error) {
    lines = {error.message()};
    work.for_a_commit = false;
  }
  lines.resize(std::min(lines.size(), limit));
  return work;
}

}  // namespace wafers
