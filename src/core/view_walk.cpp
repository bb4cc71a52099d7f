#include "core/view_walk.h"

#include <strings.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/merged_dir.h"
#include "core/submodule_state.h"
#include "git/rule_files.h"

namespace wafers {
namespace {

using git::FileMode;

/// How often a name is looked up again that changes under our hands.
constexpr int kAttempts = 10;

std::optional<git::Oid> tree_of(const git::TreeEntry* entry) {
  const bool tree = entry != nullptr && entry->mode == FileMode::tree;
  return tree ? std::optional(entry->oid) : std::nullopt;
}

/// `.git` is never looked at, whatever it is (dir.c: treat_path).
bool is_git_dir(const std::string& name, git::LetterCase letters) {
  if (letters == git::LetterCase::sensitive) return name == ".git";
  return name.size() == 4 && ::strcasecmp(name.c_str(), ".git") == 0;
}

bool has_git_dir(const UpperListing& listing) {
  return std::any_of(listing.entries.begin(), listing.entries.end(), [](const UpperEntry& entry) {
    return entry.name == ".git" && entry.type != UpperEntryType::whiteout;
  });
}

}  // namespace

ViewWalk::ViewWalk(const SnapshotInput& input, const PathSelection& selection, Snapshot& out)
    : input_(input),
      selection_(selection),
      out_(out),
      dirs_(input, out.warnings),
      blobs_(input),
      repos_({.upper = input.upper,
              .dialect = input.dialect,
              .worktree = input.repository->worktree(),
              .git_dir = input.repository->git_dir(),
              .mountpoint = input.mountpoint}),
      sparse_(SparsePaths::of(*input.repository)),
      protection_(input.repository->path_protection()),
      trust_executable_bit_(input.repository->config_bool("core.fileMode", true)),
      has_symlinks_(input.repository->config_bool("core.symlinks", true)) {}

std::optional<git::Oid> ViewWalk::run() {
  ViewLayers layers;
  layers.upper = UpperDir::open(input_.upper, input_.dialect);
  layers.listing = layers.upper->list();
  layers.lower_visible = !layers.listing.opaque;
  if (layers.lower_visible) layers.base = input_.base_tree;
  layers.tip = input_.tip_tree;
  const auto root = dirs_.root(std::move(layers), selection_.root());
  return walk(*root);
}

bool ViewWalk::Site::tip_is_submodule() const {
  return tip != nullptr && tip->mode == FileMode::gitlink;
}

std::optional<git::Oid> ViewWalk::walk(ViewDir& dir) {
  const std::size_t untracked_before = out_.untracked.size();
  std::vector<std::string> in_lower;
  if (const PlainDir* lower = dir.rules_changed ? dirs_.lower(dir) : nullptr) {
    in_lower = lower->names();
  }
  auto upper = dir.layers.listing.entries.begin();
  auto base = dir.base.begin();
  auto tip = dir.tip.begin();
  auto lower = in_lower.begin();
  std::vector<git::TreeEntry> entries;
  // The four lists are sorted alike: take the least name of their heads until all are used up.
  while (true) {
    const std::string* name = nullptr;
    const auto offer = [&](const auto& list, const auto& head, const auto& name_of) {
      if (head != list.end() && (name == nullptr || name_of(*head) < *name)) name = &name_of(*head);
    };
    const auto member = [](const auto& entry) -> const std::string& { return entry.name; };
    offer(dir.layers.listing.entries, upper, member);
    offer(dir.base, base, member);
    offer(dir.tip, tip, member);
    offer(in_lower, lower, [](const std::string& text) -> const std::string& { return text; });
    if (name == nullptr) break;

    Site site{.dir = dir, .name = *name, .part = dir.selection.child(*name)};
    const bool at_upper = upper != dir.layers.listing.entries.end() && upper->name == *name;
    const bool at_base = base != dir.base.end() && base->name == *name;
    const bool at_tip = tip != dir.tip.end() && tip->name == *name;
    const bool at_lower = lower != in_lower.end() && *lower == *name;
    if (at_upper) site.upper = &*upper;
    if (at_base) site.base = &*base;
    if (at_tip) site.tip = &*tip;
    if (auto found = visit(site)) entries.push_back(std::move(*found));
    if (named_enough(dir, untracked_before)) break;
    upper += at_upper ? 1 : 0;
    base += at_base ? 1 : 0;
    tip += at_tip ? 1 : 0;
    lower += at_lower ? 1 : 0;
  }
  return tree_from(dir, std::move(entries));
}

/// For a status that collapses, one untracked name tells all about an untracked directory.
bool ViewWalk::named_enough(const ViewDir& dir, std::size_t untracked_before) const {
  return input_.purpose == SnapshotPurpose::status &&
         input_.untracked == UntrackedNames::collapsed && !dir.layers.tip &&
         out_.untracked.size() > untracked_before;
}

std::optional<git::Oid> ViewWalk::tree_from(const ViewDir& dir,
                                            std::vector<git::TreeEntry> entries) {
  if (entries.empty()) return std::nullopt;
  if (dir.layers.tip && entries == dir.tip) return dir.layers.tip;
  if (dir.layers.base && entries == dir.base) return dir.layers.base;
  return input_.objects->write_tree(std::move(entries));
}

ViewWalk::Found ViewWalk::visit(const Site& site) {
  if (is_git_dir(site.name, dirs_.letters())) return std::nullopt;
  if (site.part.nothing()) return keep(site, site.tip);
  const bool same = site.upper == nullptr && site.base != nullptr && site.tip != nullptr &&
                    *site.base == *site.tip && !site.part.named();
  if (same && !(site.dir.rules_changed && tree_of(site.tip))) return keep(site, site.tip);
  try {
    return decide(site);
  } catch (const ChangedMeanwhile&) {
    return visit_again(site);
  } catch (const Unreadable& error) {
    return refuse(site, FileMode::regular, error.message());
  }
}

/// The name changed between the listing and now: take what it is now.
ViewWalk::Found ViewWalk::visit_again(Site site) {
  try {
    for (int attempt = 1; attempt < kAttempts; ++attempt) {
      const auto& upper = site.dir.layers.upper;
      const auto now = upper ? upper->find(site.name) : std::nullopt;
      site.upper = now ? &*now : nullptr;
      try {
        return decide(site);
      } catch (const ChangedMeanwhile&) {
      }
    }
  } catch (const Unreadable& error) {
    return refuse(site, FileMode::regular, error.message());
  }
  return refuse(site, FileMode::regular,
                wafers::quoted(site.path()) + " keeps changing while it is read");
}

ViewWalk::Found ViewWalk::decide(const Site& site) {
  if (site.tip != nullptr) site.part.matched(site.tip->mode == FileMode::tree);
  if (site.upper == nullptr) {
    return site.base != nullptr ? only_in_base(site) : only_in_lower(site);
  }
  switch (site.upper->type) {
    case UpperEntryType::directory:
      return upper_directory(site);
    case UpperEntryType::whiteout:
      return whiteout(site);
    case UpperEntryType::special:
      return special(site);
    case UpperEntryType::regular:
    case UpperEntryType::symlink:
      break;
  }
  return file(site, site.dir.layers.upper->plain(), site.upper->stat);
}

/// The upper has nothing here: the view shows what the base has.
ViewWalk::Found ViewWalk::only_in_base(const Site& site) {
  if (site.base->mode == FileMode::tree) {
    ViewLayers layers;
    layers.lower_visible = site.dir.layers.lower_visible;
    layers.base = site.base->oid;
    return directory(site, std::move(layers));
  }
  if (!site.part.all()) return no_directory(site);
  if (site.tip != nullptr && *site.tip == *site.base) return keep(site, site.tip);
  // A submodule that nobody touched stays as the tip has it, populated or not.
  if (site.base->mode == FileMode::gitlink && site.tip_is_submodule()) return keep(site, site.tip);
  // Not checked out in the base, so the view doesn't show it.
  if (sparse_.contains(site.path())) return std::nullopt;
  if (!site.tracked()) {
    if (site.ignored(false)) {
      site.part.ignored();
      return std::nullopt;
    }
    const bool submodule = site.base->mode == FileMode::gitlink;
    out_.untracked.push_back(site.path() + (submodule ? "/" : ""));
    if (input_.purpose == SnapshotPurpose::status) return std::nullopt;
  }
  site.part.matched(false);
  return keep(site, site.base);
}

/// Neither the upper nor the base's commit has it. Where the base's own rules ignore the name, the
/// base's worktree may have a file of it all the same, which then shows in the view: it is tracked
/// once it was committed, and untracked where the upper's rules no longer ignore it. A name that
/// the base's rules don't ignore was not there when the base was clean, and is none of ours.
ViewWalk::Found ViewWalk::only_in_lower(const Site& site) {
  const PlainDir* lower = dirs_.lower(site.dir);
  const auto stat = lower != nullptr ? lower->stat(site.name) : std::nullopt;
  if (!stat) return no_directory(site);
  if (S_ISDIR(stat->st_mode)) {
    ViewLayers layers;
    layers.lower_visible = true;
    return directory(site, std::move(layers));
  }
  if (!site.dir.base_ignore->is_ignored(site.name, false)) return no_directory(site);
  if (S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode)) return file(site, *lower, *stat);
  return special(site);
}

ViewWalk::Found ViewWalk::whiteout(const Site& site) {
  if (auto rest = sparse_rest(site.path(), site.base, site.tip)) return keep(site, &*rest);
  return no_directory(site);
}

/// The view shows no directory here, nor a file that is selected: what is selected below is gone.
ViewWalk::Found ViewWalk::no_directory(const Site& site) {
  if (site.part.all()) return std::nullopt;
  const auto tree = tree_of(site.tip);
  if (!tree) return keep(site, site.tip);
  ViewLayers layers;
  layers.tip = tree;
  return tracked_directory(site, std::move(layers));
}

ViewWalk::Found ViewWalk::file(const Site& site, const PlainDir& layer, const struct stat& stat) {
  if (!site.part.all()) return no_directory(site);
  if (!site.tracked() && site.ignored(false)) {
    site.part.ignored();
    return std::nullopt;
  }
  site.part.matched(false);
  const git::TreeEntry* recorded =
      site.tracked() && git::is_blob(site.tip->mode) ? site.tip : nullptr;
  const FileMode mode = mode_of(stat, recorded);
  std::string path = site.path();
  if (path.size() >= PATH_MAX) {
    return refuse(site, mode,
                  "cannot add " + wafers::quoted(path) + ": " + describe_errno(ENAMETOOLONG));
  }
  if (!site.tracked() && is_refused(site, mode)) {
    return refuse(site, mode, "invalid path " + wafers::quoted(path));
  }
  if (!site.tracked() && input_.purpose == SnapshotPurpose::status) {
    out_.untracked.push_back(std::move(path));
    return std::nullopt;
  }
  std::vector<std::string> warnings;
  const BlobReader::Result blob = blobs_.read({.dir = layer,
                                               .name = site.name,
                                               .path = path,
                                               .stat = stat,
                                               .attributes = *site.dir.attributes,
                                               .tip = recorded},
                                              warnings);
  out_.warnings.insert(out_.warnings.end(), warnings.begin(), warnings.end());
  if (!blob.failure.empty()) return refuse(site, mode, blob.failure);
  if (!site.tracked()) out_.untracked.push_back(std::move(path));
  const bool same = recorded != nullptr && recorded->mode == mode && recorded->oid == blob.oid;
  if (same && blob.size_differs) changed(site, mode);
  return take(site, mode, blob.oid, blob.stat);
}

/// Git knows no fifos, sockets and devices: it doesn't see them, unless one took a tracked file's
/// place (read-cache.c: add_to_index).
ViewWalk::Found ViewWalk::special(const Site& site) {
  if (!site.part.all()) return no_directory(site);
  site.part.matched(false);
  if (!site.tracked()) return std::nullopt;
  return refuse(site, FileMode::regular,
                wafers::quoted(site.path()) +
                    ": can only add regular files, symbolic links or git-directories");
}

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
    const Found rest = sparse_rest(site.path(), site.base, site.tip);
    layers.base = tree_of(rest ? &*rest : nullptr);
  } else {
    layers.base = tree_of(site.base);
  }
  return directory(site, std::move(layers));
}

ViewWalk::Found ViewWalk::directory(const Site& site, ViewLayers layers) {
  layers.tip = tree_of(site.tip);
  if (site.path().size() + 1 >= PATH_MAX) {  // "path/" with its NUL: git can't open it either
    out_.warnings.push_back("could not open directory " + wafers::quoted(site.path() + "/") + ": " +
                            describe_errno(ENAMETOOLONG));
    return keep(site, site.tip);
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
    return site.part.all() ? nested_repo(site, *repo) : as_before();
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

/// A whole directory. Where the tip has a file of that name, git's status tells of the deleted file
/// alone (wt-status.c: wt_status_collect_untracked asks index_name_is_other without the slash).
void ViewWalk::name_untracked(const Site& site) {
  if (!site.tracked()) out_.untracked.push_back(site.path() + "/");
}

/// A directory that the tip has as a submodule: only its HEAD counts, and only if the upper touched
/// its `.git`; whatever else is in there belongs to the submodule.
ViewWalk::Found ViewWalk::submodule(const Site& site, const ViewLayers& layers) {
  site.part.matched(true);
  if (!site.part.all() || !layers.upper) return keep(site, site.tip);
  const bool touched = layers.listing.opaque || has_git_dir(layers.listing);
  if (!touched && input_.purpose != SnapshotPurpose::status) return keep(site, site.tip);
  const auto repo = find_repo(site, layers);
  if (repo && has_git_dir(layers.listing)) out_.repositories.push_back(site.path());
  if (touched && repo && repo->head && *repo->head != site.tip->oid) {
    return take(site, FileMode::gitlink, *repo->head);
  }
  if (repo && input_.purpose == SnapshotPurpose::status && is_modified(site, layers)) {
    changed(site, FileMode::gitlink);
  }
  return keep(site, site.tip);
}

bool ViewWalk::is_modified(const Site& site, const ViewLayers& layers) {
  const auto contents = repos_.contents(merged(site, layers), site.path());
  // An index that was added to no longer caches the commit's tree.
  if (!contents || (has_git_dir(layers.listing) && !contents->index.cached_tree)) return true;
  const PlainDir* lower = layers.lower_visible ? dirs_.lower(site.dir) : nullptr;
  const SubmoduleDir dir{
      .upper = site.dir.layers.upper->open_directory(site.name),
      .lower = lower != nullptr ? lower->find_directory(site.name) : std::nullopt};
  return is_submodule_modified(dir, *contents, git::excludes_file(*input_.repository),
                               dirs_.letters(), *input_.objects);
}

ViewWalk::Found ViewWalk::nested_repo(const Site& site, const NestedRepoFinder::Repo& repo) {
  site.part.matched(true);
  const std::string path = site.path();
  if (!repo.head) {
    return refuse(site, FileMode::gitlink,
                  wafers::quoted(path + "/") + " does not have a commit checked out");
  }
  if (is_refused(site, FileMode::gitlink)) {
    return refuse(site, FileMode::gitlink, "invalid path " + wafers::quoted(path));
  }
  name_untracked(site);
  if (input_.purpose == SnapshotPurpose::status) return std::nullopt;
  out_.warnings.push_back("adding embedded git repository: " + printable(path));
  return take(site, FileMode::gitlink, *repo.head);
}

/// What an opaque directory or a whiteout does not delete: files that the sparse checkout of the
/// base leaves out were not in the lowerdir. The kernel marks every new directory opaque, so a
/// `mkdir` over them must not remove them. Where the tip has something else, the agent had the
/// file.
ViewWalk::Found ViewWalk::sparse_rest(const std::string& path, const git::TreeEntry* base,
                                      const git::TreeEntry* tip) {
  if (sparse_.empty() || base == nullptr || tip == nullptr) return std::nullopt;
  if (!tree_of(base)) {
    return *base == *tip && sparse_.contains(path) ? Found(*tip) : std::nullopt;
  }
  if (!tree_of(tip) || !sparse_.any_below(path + "/")) return std::nullopt;
  const std::vector<git::TreeEntry> recorded = input_.objects->read_tree(tip->oid);
  std::vector<git::TreeEntry> rest;
  for (const git::TreeEntry& entry : input_.objects->read_tree(base->oid)) {
    const auto same_name = [&](const git::TreeEntry& other) { return other.name == entry.name; };
    const auto twin = std::find_if(recorded.begin(), recorded.end(), same_name);
    if (twin == recorded.end()) continue;
    if (auto left = sparse_rest(path + "/" + entry.name, &entry, &*twin)) rest.push_back(*left);
  }
  if (rest.empty()) return std::nullopt;
  return git::TreeEntry{.name = tip->name,
                        .mode = FileMode::tree,
                        .oid = input_.objects->write_tree(std::move(rest))};
}

/// The directory of that name in the merged view, opened anew.
MergedDir ViewWalk::merged(const Site& site, const ViewLayers& layers) {
  const PlainDir* lower = layers.lower_visible ? dirs_.lower(site.dir) : nullptr;
  std::optional<UpperDir> upper;
  if (layers.upper) upper = site.dir.layers.upper->open_directory(site.name);
  return {std::move(upper), lower != nullptr ? lower->find_directory(site.name) : std::nullopt};
}

std::optional<NestedRepoFinder::Repo> ViewWalk::find_repo(const Site& site,
                                                          const ViewLayers& layers) {
  // Most directories are none, and most of those are in the upper alone.
  const bool in_lower = layers.lower_visible && dirs_.lower(site.dir) != nullptr;
  if (!in_lower && !has_git_dir(layers.listing)) return std::nullopt;
  return repos_.find(merged(site, layers), site.path());
}

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
    if (known != nullptr && known->oid == entry->oid && known->mode == entry->mode) {
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

}  // namespace wafers
