#include "core/snapshot/view_walk.h"

#include <strings.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

using git::FileMode;

/// How often a name is looked up again that changes under our hands.
constexpr int kAttempts = 10;

/// `.git` is never looked at, whatever it is (dir.c: treat_path).
bool is_git_dir(const std::string& name, git::LetterCase letters) {
  if (letters == git::LetterCase::sensitive) return name == ".git";
  return name.size() == 4 && ::strcasecmp(name.c_str(), ".git") == 0;
}

const std::string& name_of(const std::string& name) { return name; }
template <typename Entry>
const std::string& name_of(const Entry& entry) {
  return entry.name;
}

/// What is left of a list that is sorted by names.
template <typename Entry>
class Rest {
 public:
  explicit Rest(const std::vector<Entry>& list) : next_(list.begin()), end_(list.end()) {}

  const std::string* name() const { return next_ == end_ ? nullptr : &name_of(*next_); }
  /// The entry called `name`, if it is the next one, which it then no longer is; else null.
  const Entry* take(const std::string& name) {
    return next_ == end_ || name_of(*next_) != name ? nullptr : &*next_++;
  }

 private:
  typename std::vector<Entry>::const_iterator next_, end_;
};

/// The least of those names that there are; null where there are none.
const std::string* least(std::initializer_list<const std::string*> names) {
  const std::string* found = nullptr;
  for (const std::string* name : names) {
    if (name != nullptr && (found == nullptr || *name < *found)) found = name;
  }
  return found;
}

}  // namespace

ViewWalk::ViewWalk(const SnapshotInput& input, const PathSelection& selection, Snapshot& out)
    : input_(input),
      selection_(selection),
      out_(out),
      dirs_(input, out.warnings),
      base_index_(input.base_index),
      blobs_(input, base_index_),
      repos_({.upper = input.upper,
              .dialect = input.dialect,
              .layers = input.layers,
              .worktree = input.repository->worktree(),
              .git_dir = input.repository->git_dir(),
              .mountpoint = input.mountpoint,
              .covered = input.covered}),
      marked_(input, base_index_),
      protection_(input.repository->path_protection()),
      trust_executable_bit_(input.repository->config_bool("core.fileMode", true)),
      has_symlinks_(input.repository->config_bool("core.symlinks", true)) {}

std::optional<git::Oid> ViewWalk::run() {
  ViewLayers layers;
  layers.upper = UpperDir::open(input_.upper, input_.dialect);
  layers.listing = layers.upper->list();
  layers.lower_visible = !layers.listing.opaque;
  if (layers.lower_visible) layers.base = input_.base_tree;
  layers.tip = input_.compared_tree;
  const auto root = dirs_.root(std::move(layers), selection_.root());
  gitmodules_ = dirs_.modules_of_view(*root);
  return walk(*root);
}

bool ViewWalk::Site::tip_is_submodule() const {
  return tip != nullptr && tip->mode == FileMode::gitlink;
}

const git::TreeEntry* ViewWalk::Site::recorded_blob() const {
  return tip != nullptr && git::is_blob(tip->mode) ? tip : nullptr;
}

std::optional<git::Oid> ViewWalk::tree_of(const git::TreeEntry* entry) {
  const bool tree = entry != nullptr && entry->mode == FileMode::tree;
  return tree ? std::optional(entry->oid) : std::nullopt;
}

std::optional<git::Oid> ViewWalk::walk(ViewDir& dir) {
  const std::size_t untracked_before = out_.untracked.size();
  std::vector<std::string> in_lower;
  if (const MergedDir* lower = dir.rules_changed ? dirs_.lower(dir) : nullptr) {
    in_lower = lower->names();
  }
  Rest upper(dir.layers.listing.entries);
  Rest base(dir.base);
  Rest tip(dir.tip);
  Rest lower(in_lower);
  std::vector<git::TreeEntry> entries;
  while (const auto* name = least({upper.name(), base.name(), tip.name(), lower.name()})) {
    const Site site{.dir = dir,
                    .name = *name,
                    .upper = upper.take(*name),
                    .base = base.take(*name),
                    .tip = tip.take(*name),
                    .part = dir.selection.child(*name)};
    lower.take(*name);
    if (auto found = visit(site)) entries.push_back(std::move(*found));
    if (named_enough(dir, untracked_before)) break;
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
    return unreadable(site, error);
  }
}

/// The name changed between the listing and now: take what it is now.
ViewWalk::Found ViewWalk::visit_again(Site site) {
  std::optional<UpperEntry> now;  // `site` refers to it until the end
  try {
    for (int attempt = 1; attempt < kAttempts; ++attempt) {
      const auto& upper = site.dir.layers.upper;
      now = upper ? upper->find(site.name) : std::nullopt;
      site.upper = now ? &*now : nullptr;
      try {
        return decide(site);
      } catch (const ChangedMeanwhile&) {
      }
    }
  } catch (const Unreadable& error) {
    return unreadable(site, error);
  }
  return refuse(site, FileMode::regular,
                in_quotes(site.path()) + " keeps changing while it is read");
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
  // An untouched submodule stays as the tip has it, populated or not.
  if (site.base->mode == FileMode::gitlink && site.tip_is_submodule()) return keep(site, site.tip);
  // Not checked out in the base, so the view doesn't show it.
  if (marked_.is_left_out(site.path())) return std::nullopt;
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
  const MergedDir* lower = dirs_.lower(site.dir);
  const PlainDir* holder = lower != nullptr ? lower->holder_of(site.name) : nullptr;
  const auto stat = holder != nullptr ? holder->stat(site.name) : std::nullopt;
  if (!stat) return no_directory(site);
  if (S_ISDIR(stat->st_mode)) {
    ViewLayers layers;
    layers.lower_visible = true;
    return directory(site, std::move(layers));
  }
  if (!site.dir.base_ignore->is_ignored(site.name, false)) return no_directory(site);
  if (S_ISREG(stat->st_mode) || S_ISLNK(stat->st_mode)) return file(site, *holder, *stat);
  return special(site);
}

ViewWalk::Found ViewWalk::whiteout(const Site& site) {
  if (auto rest = left_out(site.path(), site.base, site.tip)) return keep(site, &*rest);
  return no_directory(site);
}

/// The view shows no directory here, nor a file that is selected: what is selected below is gone.
ViewWalk::Found ViewWalk::no_directory(const Site& site) {
  const auto tree = tree_of(site.tip);
  // What is named below a selected directory that is gone was there, too.
  if (site.part.all() && !(tree && site.part.named())) return std::nullopt;
  if (!tree) return keep(site, site.tip);
  ViewLayers layers;
  layers.tip = tree;
  return tracked_directory(site, std::move(layers));
}

ViewWalk::Found ViewWalk::file(const Site& site, const PlainDir& layer, const struct stat& stat) {
  if (!site.part.all()) return no_directory(site);
  if (site.part.named() && tree_of(site.tip)) no_directory(site);  // what is named below is gone
  if (!site.tracked() && site.ignored(false)) {
    site.part.ignored();
    return std::nullopt;
  }
  site.part.matched(false);
  const FileMode mode = mode_of(stat, site.recorded_blob());
  const std::string path = site.path();
  if (path.size() >= PATH_MAX) {
    return refuse(site, mode,
                  "cannot add " + in_quotes(path) + ": " + describe_errno(ENAMETOOLONG));
  }
  if (!site.tracked() && is_refused(site, mode)) {
    return refuse(site, mode, "invalid path " + in_quotes(path));
  }
  if (!site.tracked() && input_.purpose == SnapshotPurpose::status) {
    out_.untracked.push_back(path);
    return left_out(path, site.base, site.tip);  // still in git's index, too
  }
  return blob(site, layer, stat, mode);
}

ViewWalk::Found ViewWalk::blob(const Site& site, const PlainDir& layer, const struct stat& stat,
                               FileMode mode) {
  const git::TreeEntry* recorded = site.recorded_blob();
  const ViewFile file{.dir = layer,
                      .name = site.name,
                      .path = site.path(),
                      .stat = stat,
                      .attributes = *site.dir.attributes,
                      .tip = recorded};
  const BlobReader::Result blob = read(file, mode);
  if (!blob.failure.empty()) return refuse(site, mode, blob.failure);
  saw(file.path, mode, blob);
  if (!site.tracked()) out_.untracked.push_back(file.path);
  const bool same = recorded != nullptr && recorded->mode == mode && recorded->oid == blob.oid;
  if (same && blob.size_differs) changed(site, mode);
  if (!same && recorded != nullptr && input_.purpose == SnapshotPurpose::status) {
    // A status tells the change and needs no tree that has it.
    changed(site, mode, blob.oid);
    return keep(site, site.tip);
  }
  return take(site, mode, blob.oid, blob.stat);
}

/// A file of the base that git was told not to look at stays as committed until the agent changes
/// it, though the view shows something else.
BlobReader::Result ViewWalk::read(const ViewFile& file, FileMode& mode) {
  if (auto known = blobs_.known(file)) return std::move(*known);
  const timespec before = timestamp_clock();
  const auto committed = marked_.committed_version(
      file.path, {.dir = file.dir, .name = file.name, .stat = file.stat, .mode = mode},
      *input_.objects, input_.base_tree);
  if (committed) {
    BlobReader::Result result;
    result.oid = committed->oid;
    result.plain = true;
    // A cache's entry speaks for the content alone.
    if (committed->mode == mode) result.stat = provable_stat(file.stat, before);
    mode = committed->mode;
    return result;
  }
  if (!marked_.is_marked(file.path)) {  // else the size recorded is that of the local version
    if (auto changed = blobs_.changed_by_size(file)) return std::move(*changed);
  }
  std::vector<std::string> warnings;  // of a reading that came to its end
  BlobReader::Result result = blobs_.read(file, warnings);
  out_.warnings.insert(out_.warnings.end(), warnings.begin(), warnings.end());
  return result;
}

/// Git knows no fifos, sockets and devices: it doesn't see them, unless one took a tracked file's
/// place (read-cache.c: add_to_index).
ViewWalk::Found ViewWalk::special(const Site& site) {
  if (!site.part.all()) return no_directory(site);
  site.part.matched(false);
  if (!site.tracked()) return std::nullopt;
  return refuse(
      site, FileMode::regular,
      in_quotes(site.path()) + ": can only add regular files, symbolic links or git-directories");
}

}  // namespace wafers
