#include "core/git_commands/stage.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/moved_content.h"
#include "core/git_commands/git_in_view.h"
#include "core/inside/index_change.h"
#include "git/diff/diff.h"
#include "git/index/index_view.h"
#include "git/objects/change_letter.h"
#include "git/program/git_program.h"

namespace wafers {
namespace {

using git::FileMode;
using git::Oid;
using git::TreeEntry;

std::optional<TreeEntry> find_entry(const std::vector<TreeEntry>& entries,
                                    const std::string& name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const TreeEntry& entry) { return entry.name == name; });
  return found == entries.end() ? std::nullopt : std::optional(*found);
}

std::optional<Oid> subtree(const std::optional<TreeEntry>& entry) {
  return entry && entry->mode == FileMode::tree ? std::optional(entry->oid) : std::nullopt;
}

std::vector<TreeEntry> entries_of(git::ObjectStore& objects, const std::optional<Oid>& tree) {
  return tree ? objects.read_tree(*tree) : std::vector<TreeEntry>{};
}

/// What two trees have of one name.
struct BothEntries {
  std::vector<TreeEntry> onto;  ///< all of the first tree
  std::optional<TreeEntry> ours, theirs;
};

/// `onto` with the one path from `from`. Absent trees are empty ones.
std::optional<Oid> with_path_of(git::ObjectStore& objects, const std::optional<Oid>& onto,
                                const std::optional<Oid>& from,
                                std::span<const std::string> components) {
  std::vector<BothEntries> levels;
  std::optional<Oid> ours = onto;
  std::optional<Oid> theirs = from;
  for (const std::string& name : components) {
    BothEntries level{.onto = entries_of(objects, ours), .ours = {}, .theirs = {}};
    level.ours = find_entry(level.onto, name);
    level.theirs = find_entry(entries_of(objects, theirs), name);
    ours = subtree(level.ours);
    theirs = subtree(level.theirs);
    levels.push_back(std::move(level));
  }
  // What comes of each tree on the way, from the innermost one; at first, of the path itself.
  std::optional<TreeEntry> result = levels.back().theirs;
  std::optional<Oid> tree;
  for (std::size_t depth = levels.size(); depth-- > 0;) {
    BothEntries& level = levels[depth];
    const std::string& name = components[depth];
    const bool is_last = depth + 1 == levels.size();
    if (!is_last) {
      if (tree) {
        result = TreeEntry{.name = name, .mode = FileMode::tree, .oid = *tree};
      } else {
        // A file in the directory's place isn't what was asked for.
        result = subtree(level.ours) ? std::nullopt : level.ours;
      }
    }
    tree = depth == 0 ? onto : subtree(levels[depth - 1].ours);
    if (result == level.ours) continue;
    std::erase_if(level.onto, [&](const TreeEntry& entry) { return entry.name == name; });
    if (result) level.onto.push_back(*result);
    tree = level.onto.empty() ? std::nullopt
                              : std::optional(objects.write_tree(std::move(level.onto)));
  }
  return tree;
}

/// Stat data that git left in the base's index: the view shows the base's files as they are.
class KnownStats {
 public:
  KnownStats(const WaferGit& git, const git::IndexFile& known) : known_(known), git_(git) {
    try {
      base_ = git::IndexFile::read(git.base_index, git::IndexFile::Checksum::trusted);
    } catch (const Error&) {
      base_.reset();  // only costs git the time to read the files
    }
  }

  git::IndexStat find(const git::IndexEntry& wanted) const {
    if (const auto stat = in(&known_, wanted)) return *stat;
    if (const auto stat = in(git_.stat_cache ? &*git_.stat_cache : nullptr, wanted)) return *stat;
    const auto stat = in(base_ ? &*base_ : nullptr, wanted);
    return stat && !is_racy(*stat) ? *stat : git::IndexStat{};
  }

 private:
  static std::optional<git::IndexStat> in(const git::IndexFile* index,
                                          const git::IndexEntry& wanted) {
    const git::IndexEntry* const entry = index != nullptr ? index->find(wanted.path) : nullptr;
    const bool same = entry != nullptr && entry->oid == wanted.oid && entry->mode == wanted.mode &&
                      entry->stat != git::IndexStat{};
    return same ? std::optional(entry->stat) : std::nullopt;
  }

  /// In an index that is newer, git would no longer see that the entry proves nothing.
  bool is_racy(const git::IndexStat& stat) const {
    return stat.mtime_seconds >= static_cast<std::uint32_t>(base_->mtime_seconds);
  }

  const git::IndexFile& known_;
  const WaferGit& git_;
  std::optional<git::IndexFile> base_;
};

/// In no particular order.
std::vector<git::IndexEntry> entries_of_all(git::ObjectStore& objects, const Oid& root,
                                            const KnownStats& stats) {
  std::vector<git::IndexEntry> all;
  std::vector<std::pair<std::string, Oid>> todo{{"", root}};
  while (!todo.empty()) {
    const auto [prefix, tree] = std::move(todo.back());
    todo.pop_back();
    for (const TreeEntry& entry : objects.read_tree(tree)) {
      if (entry.mode == FileMode::tree) {
        todo.emplace_back(prefix + entry.name + "/", entry.oid);
        continue;
      }
      git::IndexEntry added;
      added.path = prefix + entry.name;
      added.mode = entry.mode;
      added.oid = entry.oid;
      added.stat = stats.find(added);
      all.push_back(std::move(added));
    }
  }
  return all;
}

/// As git add says it; the other paths are not staged either.
void require_not_ignored(const std::vector<std::string>& ignored) {
  if (ignored.empty()) return;
  throw Error(ErrorKind::failed,
              "path " + in_quotes(ignored.front()) + " is ignored by one of your .gitignore files",
              "-f adds it all the same");
}

void require_not_taken(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                       const StageRequest& request, const std::vector<std::string>& selected) {
  if (request.accept_moved) return;
  refuse_taken(wafer,
               taken_from_moved_base(wafer, git.repository, objects, {git.base_tree, git.tip_tree},
                                     selected),
               "nothing was staged");
}

/// Notes `tree` as what is staged, with an index for git to read.
StageResult staged(Wafer& wafer, const WaferGit& git, git::ObjectStore& objects, const Oid& tree,
                   const git::IndexFile& known, const std::function<void()>& save,
                   std::vector<std::string> warnings) {
  const git::IndexFile index = full_index(git, objects, tree, known);
  objects.flush();
  StageResult result;
  result.tree = tree.hex();
  for (const git::TreeChange& change : git::changed_paths(objects, git.tip_tree, tree)) {
    result.changes.push_back({.path = change.path, .letter = letter_of(change)});
  }
  result.warnings = std::move(warnings);
  note_staged(wafer, git, tree, save);
  write_index(wafer, index, result.warnings);
  return result;
}

}  // namespace

void note_staged(Wafer& wafer, const WaferGit& git, const Oid& tree,
                 const std::function<void()>& save) {
  if (git.inside) return IndexChange(wafer, git.repository, *git.inside, tree).commit();
  wafer.staged_tree = staged_tree_of(tree, git.tip_tree);
  // An index that no record stands for would name what nothing else shows to be in use.
  save();
}

bool tree_has(git::ObjectStore& objects, git::Oid tree, const std::string& path) {
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

std::string staged_tree_of(const Oid& tree, const Oid& tip_tree) {
  return tree == tip_tree ? std::string() : tree.hex();
}

Oid tree_with_paths_of(git::ObjectStore& objects, const Oid& onto, const Oid& from,
                       const std::vector<std::string>& paths) {
  std::optional<Oid> tree = onto;
  for (const std::string& path : paths) {
    std::vector<std::string> components = split(path, '/');
    std::erase(components, "");
    tree = with_path_of(objects, tree, from, components);
  }
  return tree ? *tree : objects.write_tree({});
}

void copy_marks(const std::filesystem::path& base_index, git::IndexFile& index) {
  const auto base = git::IndexView::open(base_index, git::IndexChecksum::trusted);
  if (!base) return;
  for (git::IndexEntry& entry : index.entries) {
    const git::IndexRecord* const marked = base->find(entry.path);
    if (marked == nullptr || marked->oid() != entry.oid) continue;
    entry.skip_worktree = marked->skip_worktree();
    entry.assume_valid = marked->assume_valid();
  }
}

git::IndexFile full_index(const WaferGit& git, git::ObjectStore& objects, const Oid& tree,
                          const git::IndexFile& known) {
  git::IndexFile index;
  index.cached_tree = tree;
  index.entries = entries_of_all(objects, tree, KnownStats(git, known));
  std::sort(index.entries.begin(), index.entries.end(),
            [](const git::IndexEntry& a, const git::IndexEntry& b) { return a.path < b.path; });
  return index;
}

StageResult stage_paths(Wafer& wafer, const StageRequest& request,
                        const std::function<void()>& save) {
  if (request.paths.empty()) {
    throw Error(ErrorKind::usage, "nothing specified, nothing added",
                "give the paths behind '--'; '-- .' adds everything");
  }
  const std::vector<std::string> selected = clean_paths(request.paths);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_database);
  SnapshotInput input = snapshot_input(wafer, git, *objects, SnapshotPurpose::commit, selected);
  input.include_ignored = request.force;
  Snapshot snapshot = take_snapshot(input);
  require_matched(snapshot.unmatched_paths);
  require_not_ignored(snapshot.ignored_paths);
  require_committable(snapshot);
  require_not_taken(wafer, git, *objects, request, selected);
  return staged(wafer, git, *objects, snapshot.tree, snapshot.index, save,
                std::move(snapshot.warnings));
}

StageResult stage_patches(Wafer& wafer, const StageRequest& request,
                          const std::function<void()>& save) {
  const std::vector<std::string> selected = clean_paths(request.paths);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects(git::Writes::to_database);
  require_not_taken(wafer, git, *objects, request, selected);
  git::IndexFile index = full_index(git, *objects, git.index_tree, {});
  copy_marks(git.base_index, index);
  const GitInView in_view(wafer, git.repository, index);
  std::vector<std::string> words{"--literal-pathspecs", "add", "--patch", "--"};
  words.insert(words.end(), selected.begin(), selected.end());
  Command command = git::git_command_in(wafer.root(), std::move(words));
  command.environment = in_view.environment(GitInView::Editor::users);
  if (const int status = in_view.run(command); status != 0) {
    throw Error(ErrorKind::failed, "git add --patch ended with status " + std::to_string(status));
  }
  return staged(wafer, git, *objects, in_view.tree(), {}, save, {});
}

}  // namespace wafers
