#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/snapshot/submodule_state.h"
#include "core/snapshot/view_walk.h"
#include "git/worktree/rule_files.h"
#include "linux/merged_dir.h"

// Directories: which layers they are made of, and repositories among them.

namespace wafers {
namespace {

using git::FileMode;

bool has_git_dir(const UpperListing& listing) {
  return std::any_of(listing.entries.begin(), listing.entries.end(), [](const UpperEntry& entry) {
    return entry.name == ".git" && entry.type != UpperEntryType::whiteout;
  });
}

}  // namespace

ViewWalk::Found ViewWalk::upper_directory(const Site& site) {
  const bool tracked = site.tip_is_submodule() || tree_of(site.tip);
  if (!tracked && site.ignored(true)) {
    site.part.ignored();
    return site.part.all() ? std::nullopt : keep(site, site.tip);
  }
  ViewLayers layers;
  layers.upper = site.dir.layers.upper->open_directory(site.name);
  layers.listing = layers.upper->list();
  const bool hides_file = site.base != nullptr && git::is_blob(site.base->mode);
  layers.lower_visible = site.dir.layers.lower_visible && !layers.listing.opaque && !hides_file;
  if (layers.listing.opaque) {
    const Found rest = left_out(site.path(), site.base, site.tip);
    layers.base = tree_of(rest ? &*rest : nullptr);
  } else {
    layers.base = tree_of(site.base);
  }
  return directory(site, std::move(layers));
}

ViewWalk::Found ViewWalk::directory(const Site& site, ViewLayers layers) {
  layers.tip = tree_of(site.tip);
  if (site.path().size() + 1 >= PATH_MAX) {  // "path/" with its NUL: git can't open it either
    return passed_over(site, ENAMETOOLONG);
  }
  if (site.tip_is_submodule()) return submodule(site, layers);
  return layers.tip ? tracked_directory(site, std::move(layers))
                    : untracked_directory(site, std::move(layers));
}

ViewWalk::Found ViewWalk::tracked_directory(const Site& site, ViewLayers layers) {
  const auto child = dirs_.child(site.dir, site.name, std::move(layers), site.part);
  const auto tree = walk(*child);
  if (!tree) return std::nullopt;
  return git::TreeEntry{.name = site.name, .mode = FileMode::tree, .oid = *tree};
}

ViewWalk::Found ViewWalk::untracked_directory(const Site& site, ViewLayers layers) {
  const auto as_before = [&] { return site.part.all() ? std::nullopt : keep(site, site.tip); };
  if (site.ignored(true)) {
    site.part.ignored();
    return as_before();
  }
  if (const auto repo = find_repo(site, layers)) {
    if (site.part.all()) return nested_repo(site, *repo);
    site.part.matched_in(merged(site, layers));  // git takes nothing of it, and says nothing
    return as_before();
  }
  site.part.matched(true);
  const std::size_t before = out_.untracked.size();
  Found found = tracked_directory(site, std::move(layers));
  if (input_.untracked == UntrackedNames::collapsed && out_.untracked.size() > before) {
    out_.untracked.resize(before);
    name_untracked(site);
  }
  return found ? std::move(found) : as_before();
}

/// A directory that the tip has as a submodule: only its HEAD counts, and only if the upper touched
/// its `.git`; whatever else is in there belongs to the submodule.
ViewWalk::Found ViewWalk::submodule(const Site& site, const ViewLayers& layers) {
  site.part.matched(true);
  if (!site.part.all() || !layers.upper) return keep(site, site.tip);
  const bool has_repo = has_git_dir(layers.listing);
  const auto repo = find_repo(site, layers);
  if (repo && has_repo) out_.repositories.push_back(site.path());
  const SubmoduleIgnore configured = configured_ignore(site.path());
  const auto heeded = [&](bool heeds) { return heeds ? configured : SubmoduleIgnore::none; };
  const bool moved = repo && (has_repo || layers.listing.opaque) && repo->head &&
                     *repo->head != site.tip->oid &&
                     heeded(input_.heed_submodule_ignore) != SubmoduleIgnore::all;
  // A commit warns of what a status tells.
  const SubmoduleIgnore ignore =
      heeded(input_.heed_submodule_ignore || input_.purpose == SnapshotPurpose::commit);
  if (repo && ignore < SubmoduleIgnore::dirty && is_modified(site, layers, ignore)) {
    tell_modified(site, moved);
  }
  return moved ? take(site, FileMode::gitlink, *repo->head) : keep(site, site.tip);
}

/// Changes inside a submodule are not the superproject's: a status names them, a commit warns.
void ViewWalk::tell_modified(const Site& site, bool moved) {
  out_.modified_submodules.push_back(site.path());
  if (input_.purpose == SnapshotPurpose::commit) {
    out_.warnings.push_back("changes inside submodule " + in_quotes(site.path()) +
                            " are not part of this commit");
  } else if (input_.purpose == SnapshotPurpose::status && !moved) {
    changed(site, FileMode::gitlink);
  }
}

SubmoduleIgnore ViewWalk::configured_ignore(const std::string& path) {
  if (!submodules_) submodules_.emplace(*input_.repository, gitmodules_);
  return submodules_->ignore_of(path);
}

bool ViewWalk::is_modified(const Site& site, const ViewLayers& layers, SubmoduleIgnore ignore) {
  const auto contents = repos_.contents(merged(site, layers), site.path());
  // An index that was added to no longer caches the commit's tree.
  if (!contents || (has_git_dir(layers.listing) && !contents->index.cached_tree)) return true;
  const MergedDir* lower = layers.lower_visible ? dirs_.lower(site.dir) : nullptr;
  const SubmoduleDir dir{
      .upper = site.dir.layers.upper->open_directory(site.name),
      .lower = lower != nullptr ? lower->find_directory(site.name) : std::nullopt};
  const auto untracked =
      ignore == SubmoduleIgnore::untracked ? UntrackedContent::ignored : UntrackedContent::counts;
  // The settings of this repository are not those of the one below.
  const std::string excludes =
      contents->has_own_excludes ? std::string() : git::users_excludes_file();
  return is_submodule_modified(dir, *contents, excludes, *input_.objects, untracked);
}

bool ViewWalk::is_directory(const Site& site) {
  if (site.upper != nullptr) return site.upper->type == UpperEntryType::directory;
  try {
    const MergedDir* const lower = dirs_.lower(site.dir);
    const auto stat = lower != nullptr ? lower->stat(site.name) : std::nullopt;
    return stat && S_ISDIR(stat->st_mode);
  } catch (const Unreadable&) {
    return false;
  }
}

bool ViewWalk::may_be_opened(const Site& site) {
  try {
    if (site.upper != nullptr) {
      return site.dir.layers.upper->plain().find_directory(site.name).has_value();
    }
    const MergedDir* const lower = dirs_.lower(site.dir);
    return lower != nullptr && lower->find_directory(site.name);
  } catch (const Unreadable&) {
    return false;
  }
}

/// Git warns of a directory that it may not open, takes nothing untracked from it, and believes
/// what it tracks there to be unchanged (dir.c: open_cached_dir; diff-lib.c: run_diff_files). One
/// whose files may not be looked at it can't add.
ViewWalk::Found ViewWalk::unreadable(const Site& site, const Unreadable& error) {
  const bool directory = is_directory(site);
  const bool skipped =
      directory && error.errnum() == EACCES && (tree_of(site.tip) || !may_be_opened(site));
  if (!skipped) {
    if (directory && !tree_of(site.tip)) name_untracked(site);
    return refuse(site, FileMode::regular, error.message());
  }
  return passed_over(site, EACCES);
}

/// As git does with a directory that it can't open: it says so, and goes on with the next.
ViewWalk::Found ViewWalk::passed_over(const Site& site, int err) {
  std::string warning =
      "could not open directory " + in_quotes(site.path() + "/") + ": " + describe_errno(err);
  if (site.upper != nullptr) out_.unreadable.push_back(warning);
  out_.warnings.push_back(std::move(warning));
  return keep(site, site.tip);
}

ViewWalk::Found ViewWalk::nested_repo(const Site& site, const NestedRepoFinder::Repo& repo) {
  site.part.matched(true);
  const std::string path = site.path();
  if (!repo.head) {
    // Instead of a tracked file it is nothing at all (diff-lib.c: check_removed).
    return refuse(site, site.tracked() ? FileMode::absent : FileMode::gitlink,
                  in_quotes(path + "/") + " does not have a commit checked out");
  }
  if (is_refused(site, FileMode::gitlink)) {
    return refuse(site, FileMode::gitlink, "invalid path " + in_quotes(path));
  }
  name_untracked(site);
  if (input_.purpose == SnapshotPurpose::status) {
    if (site.tracked()) changed(site, FileMode::gitlink);
    return keep(site, site.tip);
  }
  out_.warnings.push_back("adding embedded git repository: " + printable(path));
  return take(site, FileMode::gitlink, *repo.head);
}

std::optional<NestedRepoFinder::Repo> ViewWalk::find_repo(const Site& site,
                                                          const ViewLayers& layers) {
  // Most directories are none, and most of those are in the upper alone.
  const bool in_lower = layers.lower_visible && dirs_.lower(site.dir) != nullptr;
  if (!in_lower && !has_git_dir(layers.listing)) return std::nullopt;
  return repos_.find(merged(site, layers), site.path());
}

/// The directory of that name in the merged view, opened anew.
MergedDir ViewWalk::merged(const Site& site, const ViewLayers& layers) {
  const MergedDir* lower = layers.lower_visible ? dirs_.lower(site.dir) : nullptr;
  std::optional<UpperDir> upper;
  if (layers.upper) upper = site.dir.layers.upper->open_directory(site.name);
  return {std::move(upper), lower != nullptr ? lower->find_directory(site.name) : std::nullopt};
}

/// What an opaque directory or a whiteout does not delete: marked files that the base's worktree
/// doesn't have, as with a sparse checkout, were not in the lowerdir. The kernel marks every new
/// directory opaque, so a `mkdir` over them must not remove them. Where the tip has something else,
/// the agent had the file.
ViewWalk::Found ViewWalk::left_out(const std::string& path, const git::TreeEntry* base,
                                   const git::TreeEntry* tip) {
  if (base == nullptr || tip == nullptr) return std::nullopt;
  if (!tree_of(base)) {
    return *base == *tip && marked_.is_left_out(path) ? Found(*tip) : std::nullopt;
  }
  if (!tree_of(tip) || !marked_.any_below(path + "/")) return std::nullopt;
  const std::vector<git::TreeEntry> recorded = input_.objects->read_tree(tip->oid);
  std::vector<git::TreeEntry> rest;
  for (const git::TreeEntry& entry : input_.objects->read_tree(base->oid)) {
    const auto same_name = [&](const git::TreeEntry& other) { return other.name == entry.name; };
    const auto twin = std::find_if(recorded.begin(), recorded.end(), same_name);
    if (twin == recorded.end()) continue;
    if (auto left = left_out(path + "/" + entry.name, &entry, &*twin)) rest.push_back(*left);
  }
  if (rest.empty()) return std::nullopt;
  return git::TreeEntry{.name = tip->name,
                        .mode = FileMode::tree,
                        .oid = input_.objects->write_tree(std::move(rest))};
}

}  // namespace wafers
