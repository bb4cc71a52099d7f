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

/// One directory that both trees may have, as it is being made in the upper.
struct Place {
  std::string prefix;                ///< path from the root with a trailing '/', "" for the root
  int upper = -1;                    ///< its directory in the upper
  const MergedDir* below = nullptr;  ///< its directory in the layers below, if there is one
  std::shared_ptr<const git::AttributeScope> attributes;  ///< null where the tip has no files here
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

  git::IndexFile write(const fs::path& target, const LayersBelow& layers, const TreePair& trees) {
    if (repository_.is_partial_clone()) fetch_changed(trees);
    const PlainDir top = PlainDir::open(target, "the upper");
    filter_directory_ = target;
    const MergedDir below = MergedDir::open_base(layers.layers, layers.dialect);
    Place root{.prefix = {}, .upper = top.fd(), .below = &below, .attributes = nullptr};
    const std::vector<TreeEntry> tip = read(trees.to);
    root.attributes = git::AttributeScope::root(git::attributes_file(repository_),
                                                git::info_file(repository_, "attributes"),
                                                attributes_in(tip), git::letter_case(repository_));
    fill(root, read(trees.from), tip);
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(index_);
  }

 private:
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

  /// Makes the upper's directory `place` show `tip` over `base`.
  void fill(const Place& place, const std::vector<TreeEntry>& base,
            const std::vector<TreeEntry>& tip) {
    static const TreeEntry kNone;
    std::map<std::string_view, std::pair<const TreeEntry*, const TreeEntry*>> names;
    for (const TreeEntry& entry : base) names[entry.name] = {&entry, &kNone};
    for (const TreeEntry& entry : tip) {
      auto& both = names.try_emplace(entry.name, &kNone, &kNone).first->second;
      both.second = &entry;
    }
    for (const auto& [name, both] : names) {
      const auto& [before, after] = both;
      if (before->mode != after->mode || before->oid != after->oid) change(place, *before, *after);
    }
  }

  void change(const Place& place, const TreeEntry& before, const TreeEntry& after) {
    const TreeEntry& named = after.mode == FileMode::absent ? before : after;
    check_name(place.prefix + named.name, named);
    switch (after.mode) {
      case FileMode::absent:
        return remove(place, before);
      case FileMode::tree:
        return make_directory(place, before, after);
      case FileMode::gitlink:
        // A submodule's own checkout is not touched when its commit changes.
        if (before.mode == FileMode::gitlink) return;
        return make_submodule(place, before, after);
      default:
        return write_blob(place, after);
    }
  }

  void check_name(const std::string& path, const TreeEntry& entry) const {
    if (path.size() >= PATH_MAX) {
      throw Error::system(ENAMETOOLONG, "cannot make " + in_quotes(path.substr(0, 60) + "..."));
    }
    const bool bad =
        entry.name.find('/') != std::string::npos ||
        git::is_forbidden_component(entry.name, protection_) ||
        (entry.mode == FileMode::symlink && git::is_forbidden_symlink(entry.name, protection_));
    if (bad) throw Error(ErrorKind::failed, "invalid path " + in_quotes(path));
    require_showable(path, dialect_);
  }

  /// The other tree lacks `before`.
  void remove(const Place& place, const TreeEntry& before) {
    if (before.mode != FileMode::tree) return make_whiteout(place.upper, before.name, dialect_);
    const auto below = directory_below(place, before.name);
    const std::vector<TreeEntry> files = read(before.oid);
    if (!below || holds_only(*below, files)) {
      return make_whiteout(place.upper, before.name, dialect_);
    }
    // Ignored files of the base live here: the directory stays, as checkout leaves it.
    with_directory(place, before.name, nullptr,
                   [&](const Place& inside) { fill(inside, files, {}); });
  }

  static std::optional<MergedDir> directory_below(const Place& place, const std::string& name) {
    return place.below != nullptr ? place.below->find_directory(name) : std::nullopt;
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

  void make_directory(const Place& place, const TreeEntry& before, const TreeEntry& after) {
    const std::vector<TreeEntry> tip = read(after.oid);
    const std::vector<TreeEntry> base =
        before.mode == FileMode::tree ? read(before.oid) : std::vector<TreeEntry>();
    const auto attributes =
        git::AttributeScope::child(place.attributes, after.name, attributes_in(tip));
    with_directory(place, after.name, attributes, [&](const Place& inside) {
      // What is checked out of a submodule must not show through.
      if (before.mode == FileMode::gitlink) make_opaque(inside.upper, dialect_);
      fill(inside, base, tip);
    });
  }

  /// An empty directory, as checkout makes it.
  void make_submodule(const Place& place, const TreeEntry& before, const TreeEntry& after) {
    const std::vector<TreeEntry> base =
        before.mode == FileMode::tree ? read(before.oid) : std::vector<TreeEntry>();
    with_directory(place, after.name, nullptr,
                   [&](const Place& inside) { fill(inside, base, {}); });
  }

  /// Makes the directory `name` in the upper and runs `work` in it; then gives it the mode of the
  /// directory below, which may forbid just that work.
  template <typename Work>
  void with_directory(const Place& place, const std::string& name,
                      std::shared_ptr<const git::AttributeScope> attributes, Work work) {
    const std::string path = place.prefix + name;
    if (::mkdirat(place.upper, name.c_str(), 0777) != 0) {
      fail(errno, "cannot make directory", path);
    }
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd upper = open_at(place.upper, name, kFlags);
    if (!upper) fail(errno, "cannot open directory", path);
    const auto below = directory_below(place, name);
    work(Place{.prefix = path + "/",
               .upper = upper.get(),
               .below = below ? &*below : nullptr,
               .attributes = std::move(attributes)});
    if (!below) return;
    const auto shown = place.below->stat(name);
    if (!shown) fail(ENOENT, "cannot look below", path);
    if (::fchmod(upper.get(), shown->st_mode & 07777U) != 0) {
      fail(errno, "cannot set the mode of", path);
    }
  }

  void write_blob(const Place& place, const TreeEntry& entry) {
    const std::string path = place.prefix + entry.name;
    std::string content = objects_->read_blob(entry.oid);
    if (entry.mode == FileMode::symlink && has_symlinks_) {
      if (::symlinkat(content.c_str(), place.upper, entry.name.c_str()) != 0) {
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
    const UniqueFd fd = open_at(place.upper, entry.name, kFlags, mode);
    if (!fd) fail(errno, "cannot make file", place.prefix + entry.name);
    write_all(fd.get(), content);
  }

  /// Records the file's stat data; it is closed by now, so they stay as they are.
  void remember(const Place& place, const TreeEntry& entry) {
    struct stat st {};
    const std::string path = place.prefix + entry.name;
    if (::fstatat(place.upper, entry.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
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
};

}  // namespace

git::IndexFile write_difference(const git::Repository& repository, const fs::path& target,
                                const LayersBelow& below, const TreePair& trees,
                                std::vector<std::string>* warnings) {
  return DifferenceWriter(repository, below.dialect, warnings).write(target, below, trees);
}

}  // namespace wafers
