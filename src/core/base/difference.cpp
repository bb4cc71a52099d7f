#include "core/base/difference.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/diff/diff.h"
#include "git/text/attributes.h"
#include "git/text/quote.h"
#include "git/worktree/convert.h"
#include "git/worktree/convert_driver.h"
#include "git/worktree/rule_files.h"
#include "git/worktree/worktree_stat.h"
#include "linux/merged_dir.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using git::FileMode;
using git::Oid;
using git::TreeEntry;

constexpr const char* kAttributesFile = ".gitattributes";

[[noreturn]] void fail(int err, const std::string& doing, const std::string& path) {
  throw Error::system(err, doing + " " + in_quotes(path) + " in the upper");
}

/// The same thing in each of the four trees: what the layers showed and the view showed, and what
/// they are to show.
template <typename T>
struct InTrees {
  T old_layers{};
  T old_view{};
  T layers{};
  T view{};
};
using Entries = std::shared_ptr<const std::vector<TreeEntry>>;

bool is_same(const TreeEntry& a, const TreeEntry& b) { return a.mode == b.mode && a.oid == b.oid; }

/// One directory as it is being made in the upper.
struct Place {
  std::string prefix;                ///< path from the root with a trailing '/', "" for the root
  const UpperDir* upper = nullptr;   ///< its directory in the upper
  const MergedDir* below = nullptr;  ///< its directory in the layers below, if it shows through
  bool showed_below = true;          ///< whether that of the old layers did
  std::shared_ptr<const git::AttributeScope> attributes;  ///< null where the view has no files here
};

class DifferenceWriter {
 public:
  DifferenceWriter(const git::Repository& repository, UpperDialect dialect,
                   std::vector<std::string>* warnings)
      : repository_(repository),
        objects_(repository.objects(git::Writes::to_memory)),
        dialect_(dialect),
        warnings_(warnings),
        config_(git::convert_config(repository)),
        protection_(repository.path_protection()),
        has_symlinks_(repository.config_bool("core.symlinks", true)) {}

  git::IndexFile write(const fs::path& target, const LayersBelow& layers, const ViewTrees& before,
                       const ViewTrees& after) {
    if (repository_.is_partial_clone()) fetch_changed({before.view, after.view});
    const UpperDir top = UpperDir::open(target, layers.dialect);
    filter_directory_ = target;
    const MergedDir below = MergedDir::open_base(layers.layers, layers.dialect);
    const InTrees<TreeEntry> roots{root_entry(before.layers), root_entry(before.view),
                                   root_entry(after.layers), root_entry(after.view)};
    Place root{
        .prefix = {}, .upper = &top, .below = &below, .showed_below = true, .attributes = nullptr};
    const InTrees<Entries> trees =
        read_all({&roots.old_layers, &roots.old_view, &roots.layers, &roots.view}, root);
    root.attributes = git::AttributeScope::root(
        git::attributes_file(repository_), git::info_file(repository_, "attributes"),
        attributes_in(*trees.view), git::letter_case(repository_));
    fill(root, trees);
    refuse_in_the_way();
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(index_);
  }

 private:
  static TreeEntry root_entry(const Oid& tree) {
    return {.name = {}, .mode = FileMode::tree, .oid = tree};
  }

  static const TreeEntry& nothing() {
    static const TreeEntry kNone;
    return kNone;
  }

  void fetch_changed(const TreePair& trees) const {
    std::vector<Oid> blobs;
    for (const git::TreeChange& change : git::changed_paths(*objects_, trees.from, trees.to)) {
      if (git::is_blob(change.new_mode)) blobs.push_back(change.new_oid);
    }
    objects_->prefetch(blobs);
  }

  std::vector<TreeEntry> read(const Oid& tree) const {
    return tree.is_zero() ? std::vector<TreeEntry>() : objects_->read_tree(tree);
  }

  std::string attributes_in(const std::vector<TreeEntry>& tree) const {
    for (const TreeEntry& entry : tree) {
      if (entry.name == kAttributesFile && git::is_regular(entry.mode)) {
        return objects_->read_blob(entry.oid);
      }
    }
    return {};
  }

  /// The entries of a directory, as far as there is one of that name; none of layers that don't
  /// show through in `inside`. Most of the trees are the same.
  InTrees<Entries> read_all(const InTrees<const TreeEntry*>& entries, const Place& inside) const {
    static const Entries kNone = std::make_shared<const std::vector<TreeEntry>>();
    InTrees<Entries> all;
    const auto read_one = [&](const TreeEntry& entry) {
      if (entry.mode != FileMode::tree) return kNone;
      if (all.old_layers && entry.oid == entries.old_layers->oid) return all.old_layers;
      if (all.old_view && entry.oid == entries.old_view->oid) return all.old_view;
      return std::make_shared<const std::vector<TreeEntry>>(read(entry.oid));
    };
    all.old_view = read_one(*entries.old_view);
    all.view = read_one(*entries.view);
    all.layers = inside.below != nullptr ? read_one(*entries.layers) : kNone;
    all.old_layers = inside.showed_below ? read_one(*entries.old_layers) : kNone;
    return all;
  }

  void fill(const Place& place, const InTrees<Entries>& trees) {
    std::map<std::string_view, InTrees<const TreeEntry*>> names;
    const auto add = [&](const Entries& entries, const TreeEntry* InTrees<const TreeEntry*>::*of) {
      for (const TreeEntry& entry : *entries) {
        const InTrees<const TreeEntry*> none{&nothing(), &nothing(), &nothing(), &nothing()};
        names.try_emplace(entry.name, none).first->second.*of = &entry;
      }
    };
    add(trees.old_layers, &InTrees<const TreeEntry*>::old_layers);
    add(trees.old_view, &InTrees<const TreeEntry*>::old_view);
    add(trees.layers, &InTrees<const TreeEntry*>::layers);
    add(trees.view, &InTrees<const TreeEntry*>::view);
    for (const auto& [name, entries] : names) {
      if (!is_same(*entries.old_view, *entries.view) ||
          !is_same(*entries.old_layers, *entries.layers)) {
        change(place, std::string(name), entries);
      }
    }
  }

  void change(const Place& place, const std::string& name,
              const InTrees<const TreeEntry*>& entries) {
    check_name(place, name, *entries.view);
    const auto held = place.upper->find(name);
    if (!held && is_same(*entries.layers, *entries.view)) return;
    switch (entries.view->mode) {
      case FileMode::absent:
        return remove(place, name, entries, held);
      case FileMode::tree:
        return make_directory(place, name, entries, held);
      case FileMode::gitlink:
        return make_submodule(place, name, entries, held);
      default:
        return make_file(place, name, entries, held);
    }
  }

  void check_name(const Place& place, const std::string& name, const TreeEntry& entry) const {
    const std::string path = place.prefix + name;
    if (path.size() >= PATH_MAX) {
      throw Error::system(ENAMETOOLONG, "cannot make " + in_quotes(path.substr(0, 60) + "..."));
    }
    const bool bad =
        name.find('/') != std::string::npos || git::is_forbidden_component(name, protection_) ||
        (entry.mode == FileMode::symlink && git::is_forbidden_symlink(name, protection_));
    if (bad) throw Error(ErrorKind::failed, "invalid path " + in_quotes(path));
    require_showable(path, dialect_);
  }

  static bool is_directory(const std::optional<UpperEntry>& held) {
    return held && held->type == UpperEntryType::directory;
  }

  /// The view has nothing of this name.
  void remove(const Place& place, const std::string& name, const InTrees<const TreeEntry*>& entries,
              const std::optional<UpperEntry>& held) {
    if (held && held->type == UpperEntryType::whiteout) return;
    if (is_directory(held)) return empty_directory(place, name, entries);
    if (held) {
      if (!git::is_blob(entries.old_view->mode)) return;  // an ignored file
      unlink(place, name);
    }
    hide(place, name, entries, held);
  }

  /// The upper has nothing of this name any more, and the view is not to have it.
  void hide(const Place& place, const std::string& name, const InTrees<const TreeEntry*>& entries,
            const std::optional<UpperEntry>& held) {
    if (entries.layers->mode == FileMode::absent) return;
    if (entries.layers->mode != FileMode::tree) return make_whiteout(place, name);
    const auto below = directory_below(place, name);
    if (!below || holds_only(*below, read(entries.layers->oid))) return make_whiteout(place, name);
    // Ignored files of the base live here: the directory stays, as checkout leaves it.
    with_directory(place, name, held,
                   [&](const Place& inside) { fill(inside, read_all(entries, inside)); });
  }

  /// The view has no file in a directory of the upper.
  void empty_directory(const Place& place, const std::string& name,
                       const InTrees<const TreeEntry*>& entries) {
    const UpperDir upper = place.upper->open_directory(name);
    const auto below = directory_below(place, name);
    const bool opaque = upper.opaque();
    inside_of(place, name, upper, below,
              [&](const Place& inside) { fill(inside, read_all(entries, inside)); });
    if (holds_files(upper)) return;
    const bool shows =
        below && !opaque &&
        !holds_only(*below, entries.layers->mode == FileMode::tree ? read(entries.layers->oid)
                                                                   : std::vector<TreeEntry>());
    if (shows) return;
    remove_tree(path_of(place, name));
    if (below || entries.layers->mode != FileMode::absent) make_whiteout(place, name);
  }

  void make_whiteout(const Place& place, const std::string& name) const {
    wafers::make_whiteout(place.upper->fd(), name, dialect_);
  }

  static std::optional<MergedDir> directory_below(const Place& place, const std::string& name) {
    return place.below != nullptr ? place.below->find_directory(name) : std::nullopt;
  }

  static fs::path path_of(const Place& place, const std::string& name) {
    return fs::path(path_of_fd(place.upper->fd())) / name;
  }

  static bool holds_files(const UpperDir& upper) {
    const UpperListing listing = upper.list();
    return std::any_of(listing.entries.begin(), listing.entries.end(),
                       [](const auto& entry) { return entry.type != UpperEntryType::whiteout; });
  }

  /// Whether a directory of the layers has nothing but what its tree has.
  bool holds_only(const MergedDir& dir, const std::vector<TreeEntry>& tree) const {
    for (const std::string& name : dir.names()) {
      const auto entry = std::find_if(tree.begin(), tree.end(),
                                      [&](const TreeEntry& known) { return known.name == name; });
      if (entry == tree.end()) return false;
      if (entry->mode != FileMode::tree) continue;
      const auto below = dir.find_directory(name);
      if (below && !holds_only(*below, read(entry->oid))) return false;
    }
    return true;
  }

  static void unlink(const Place& place, const std::string& name) {
    if (::unlinkat(place.upper->fd(), name.c_str(), 0) != 0) {
      fail(errno, "cannot remove", place.prefix + name);
    }
  }

  /// Takes away what the upper has of this name, marks included. False where some of it is what no
  /// tree of the view has: that stays, and is in the way.
  bool clear(const Place& place, const std::string& name, const InTrees<const TreeEntry*>& entries,
             const std::optional<UpperEntry>& held) {
    if (!held) return true;
    if (held->type == UpperEntryType::whiteout) {
      remove_whiteout(place.upper->fd(), name, dialect_);
      return true;
    }
    if (is_directory(held)) return clear_directory(place, name, entries);
    if (!git::is_blob(entries.old_view->mode)) {
      in_the_way_.push_back(place.prefix + name);
      return false;
    }
    unlink(place, name);
    return true;
  }

  bool clear_directory(const Place& place, const std::string& name,
                       const InTrees<const TreeEntry*>& entries) {
    const UpperDir upper = place.upper->open_directory(name);
    if (entries.old_view->mode == FileMode::tree) {
      const InTrees<const TreeEntry*> gone{&nothing(), entries.old_view, &nothing(), &nothing()};
      inside_of(place, name, upper, std::nullopt,
                [&](const Place& inside) { fill(inside, read_all(gone, inside)); });
    }
    if (holds_files(upper)) {
      in_the_way_.push_back(place.prefix + name + "/");
      return false;
    }
    remove_tree(path_of(place, name));
    return true;
  }

  void refuse_in_the_way() const {
    constexpr std::size_t kShown = 5;
    if (in_the_way_.empty()) return;
    throw Error(ErrorKind::refused,
                "files that are not in the branch are in the way of files that are to come:" +
                    indented(in_the_way_, kShown),
                "move or remove them");
  }

  void make_file(const Place& place, const std::string& name,
                 const InTrees<const TreeEntry*>& entries, const std::optional<UpperEntry>& held) {
    const bool shows_through = is_same(*entries.layers, *entries.view);
    const bool is_there =
        held && (held->type == UpperEntryType::regular || held->type == UpperEntryType::symlink);
    if (!shows_through && is_there && is_same(*entries.old_view, *entries.view)) return;
    if (clear(place, name, entries, held) && !shows_through) write_blob(place, *entries.view);
  }

  void make_directory(const Place& place, const std::string& name,
                      const InTrees<const TreeEntry*>& entries,
                      const std::optional<UpperEntry>& held) {
    const auto fill_inside = [&](Place inside) {
      const InTrees<Entries> trees = read_all(entries, inside);
      inside.attributes =
          git::AttributeScope::child(place.attributes, name, attributes_in(*trees.view));
      fill(inside, trees);
    };
    const bool is_submodule = entries.old_view->mode == FileMode::gitlink;
    if (is_directory(held) && !is_submodule) {
      const UpperDir upper = place.upper->open_directory(name);
      return inside_of(place, name, upper, directory_below(place, name), fill_inside);
    }
    if (!clear(place, name, entries, held) || is_same(*entries.layers, *entries.view)) return;
    // What is checked out of a submodule must not show through.
    const bool opaque = entries.layers->mode == FileMode::gitlink;
    with_directory(place, name, held, fill_inside, opaque);
  }

  /// An empty directory, as checkout makes it. A submodule's own checkout is not touched when its
  /// commit changes.
  void make_submodule(const Place& place, const std::string& name,
                      const InTrees<const TreeEntry*>& entries,
                      const std::optional<UpperEntry>& held) {
    const auto empty = [&](const Place& inside) {
      InTrees<const TreeEntry*> inner = entries;
      inner.view = &nothing();
      fill(inside, read_all(inner, inside));
    };
    if (is_directory(held)) {
      if (entries.old_view->mode != FileMode::tree) return;
      const UpperDir upper = place.upper->open_directory(name);
      return inside_of(place, name, upper, directory_below(place, name), empty);
    }
    if (!clear(place, name, entries, held) || entries.layers->mode == FileMode::gitlink) return;
    with_directory(place, name, held, empty);
  }

  /// Runs `work` in a directory that the upper has; `showed`: where it is, the layers showed
  /// before.
  template <typename Work>
  static void inside_of(const Place& place, const std::string& name, const UpperDir& upper,
                        const std::optional<MergedDir>& below, Work work, bool showed = true) {
    work(Place{.prefix = place.prefix + name + "/",
               .upper = &upper,
               .below = below && !upper.opaque() ? &*below : nullptr,
               .showed_below = showed && place.showed_below && !upper.opaque(),
               .attributes = nullptr});
  }

  /// Makes the directory `name` in the upper, where it `held` something else, if anything, and runs
  /// `work` in it; then gives it the mode of the directory below, which may forbid just that work.
  /// What was deleted with a directory, such as ignored files, stays deleted.
  template <typename Work>
  void with_directory(const Place& place, const std::string& name,
                      const std::optional<UpperEntry>& held, Work work, bool opaque = false) {
    const std::string path = place.prefix + name;
    if (::mkdirat(place.upper->fd(), name.c_str(), 0777) != 0) {
      fail(errno, "cannot make directory", path);
    }
    const UpperDir upper = place.upper->open_directory(name);
    const bool deleted = held && held->type == UpperEntryType::whiteout;
    if (opaque || deleted) make_opaque(upper.fd(), dialect_);
    const auto below = directory_below(place, name);
    inside_of(place, name, upper, below, work, !held);
    if (!below || place.below == nullptr) return;  // the second follows from the first
    const auto shown = place.below->stat(name);
    if (!shown) fail(ENOENT, "cannot look below", path);
    if (::fchmod(upper.fd(), shown->st_mode & 07777U) != 0) {
      fail(errno, "cannot set the mode of", path);
    }
  }

  void write_blob(const Place& place, const TreeEntry& entry) {
    const std::string path = place.prefix + entry.name;
    std::string content = objects_->read_blob(entry.oid);
    if (entry.mode == FileMode::symlink && has_symlinks_) {
      if (::symlinkat(content.c_str(), place.upper->fd(), entry.name.c_str()) != 0) {
        fail(errno, "cannot make symlink", path);
      }
    } else {
      if (entry.mode != FileMode::symlink) content = converted(place, entry, std::move(content));
      write_file(place, entry, content);
    }
    remember(place, entry);
  }

  std::string converted(const Place& place, const TreeEntry& entry, std::string content) {
    const git::Conversion conversion =
        git::Conversion::choose(place.attributes->of_file(entry.name), config_);
    if (conversion.is_identity()) return content;
    git::ConvertContext context;
    context.path = place.prefix + entry.name;
    context.directory = filter_directory_;
    context.environment = git::filter_environment(repository_, filter_directory_);
    context.warnings = warnings_;
    context.drivers = &drivers_;
    return conversion.to_worktree(std::move(content), entry.oid.hex(), context);
  }

  static void write_file(const Place& place, const TreeEntry& entry, std::string_view content) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const mode_t mode = entry.mode == FileMode::executable ? 0777 : 0666;
    const UniqueFd fd = open_at(place.upper->fd(), entry.name, kFlags, mode);
    if (!fd) fail(errno, "cannot make file", place.prefix + entry.name);
    write_all(fd.get(), content);
  }

  /// Records the file's stat data; it is closed by now, so they stay as they are.
  void remember(const Place& place, const TreeEntry& entry) {
    struct stat st {};
    const std::string path = place.prefix + entry.name;
    if (::fstatat(place.upper->fd(), entry.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      fail(errno, "cannot look at", path);
    }
    git::IndexEntry& remembered = index_.entries.emplace_back();
    remembered.path = path;
    remembered.mode = entry.mode;
    remembered.oid = entry.oid;
    remembered.stat = git::index_stat_of(st);
  }

  const git::Repository& repository_;
  std::unique_ptr<git::ObjectStore> objects_;
  UpperDialect dialect_;
  std::vector<std::string>* warnings_;
  git::ConvertConfig config_;
  git::PathProtection protection_;
  bool has_symlinks_;
  std::string filter_directory_;
  git::DriverPool drivers_;
  git::IndexFile index_;
  std::vector<std::string> in_the_way_;
};

}  // namespace

git::IndexFile change_upper(const git::Repository& repository, const fs::path& upper,
                            const LayersBelow& below, const ViewTrees& before,
                            const ViewTrees& after, std::vector<std::string>* warnings) {
  return DifferenceWriter(repository, below.dialect, warnings).write(upper, below, before, after);
}

git::IndexFile write_difference(const git::Repository& repository, const fs::path& target,
                                const LayersBelow& below, const TreePair& trees,
                                std::vector<std::string>* warnings) {
  return change_upper(repository, target, below, {trees.from, trees.from}, {trees.from, trees.to},
                      warnings);
}

}  // namespace wafers
