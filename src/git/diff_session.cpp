#include "git/diff_session.h"

#include <git2/sys/repository.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/library.h"
#include "git/repository_impl.h"
#include "git/similarity.h"

namespace wafers::git {
namespace {

constexpr const char* kDoing = "cannot compare trees";
constexpr std::string_view kAttributesFile = ".gitattributes";

DatabaseStore& as_database_store(ObjectStore& objects) {
  auto* const store = dynamic_cast<DatabaseStore*>(&objects);
  if (store != nullptr) return *store;
  throw Error(ErrorKind::failed, "cannot compare trees of a foreign object store");
}

TreeHandle look_up_tree(git_repository* repository, const Oid& oid) {
  TreeHandle tree;
  if (oid.is_zero()) return tree;
  const git_oid raw = to_library(oid);
  check(git_tree_lookup(Out(tree), repository, &raw), "cannot read tree " + oid.hex());
  return tree;
}

std::size_t number_setting(const Repository& repository, const char* key, std::size_t otherwise) {
  const std::string text = repository.config(key).value_or(std::string());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

std::uint32_t algorithm_flag(const Repository& repository) {
  const std::string name = repository.config("diff.algorithm").value_or(std::string());
  if (name == "patience") return GIT_DIFF_PATIENCE;
  return name == "minimal" ? GIT_DIFF_MINIMAL : 0;
}

/// Whether a path is one of `selection` or lies below it.
bool is_selected(std::string_view path, const std::vector<std::string>& selection) {
  return selection.empty() ||
         std::any_of(selection.begin(), selection.end(), [&](std::string_view chosen) {
           if (!path.starts_with(chosen)) return false;
           return path.size() == chosen.size() || chosen.ends_with('/') ||
                  path[chosen.size()] == '/';
         });
}

std::vector<std::string> selected(const std::vector<TreeChange>& changes,
                                  const std::vector<std::string>& selection) {
  std::vector<std::string> paths;
  for (const TreeChange& change : changes) {
    if (is_selected(change.path, selection)) paths.push_back(change.path);
  }
  return paths;
}

/// Git asks for the attributes of regular files alone (diff.c: diff_filespec_load_driver), libgit2
/// for those of symlinks and submodules too, which `* -diff` would make binary.
bool has_attributes(const git_diff_file& file) {
  return file.mode == GIT_FILEMODE_BLOB || file.mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

/// Whether libgit2 takes `path` for itself. It parses what it is given as a line of an ignore file,
/// also where told not to match (pathspec.c: git_pathspec__vinit, attr_file.c:
/// git_attr_fnmatch__parse): `#a` is a comment then, `!a` leaves `a` out.
bool is_plain(const std::string& path) {
  return path.find_first_of("#!\\*?[ \t\n\v\f\r") == std::string::npos;
}

/// git_diff_notify_cb: 1 leaves the delta out.
int is_not_in(const git_diff*, const git_diff_delta* delta, const char*, void* changed) {
  const auto& paths = *static_cast<const std::set<std::string_view>*>(changed);
  const bool in = paths.contains(delta->old_file.path) || paths.contains(delta->new_file.path);
  return in ? 0 : 1;
}

}  // namespace

DiffSession::DiffSession(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                         const Oid& new_tree, const std::vector<std::string>& paths)
    : repository_(repository), store_(as_database_store(objects)) {
  const auto& impl = RepositoryAccess::of(repository);
  check(git_repository_wrap_odb(Out(handle_), store_.odb()), kDoing);
  check(git_repository_set_config(handle_.get(), impl.config.handle()), kDoing);
  check(git_diff_options_init(&options_, GIT_DIFF_OPTIONS_VERSION), kDoing);
  options_.flags = GIT_DIFF_SHOW_BINARY | GIT_DIFF_INDENT_HEURISTIC | GIT_DIFF_INCLUDE_TYPECHANGE |
                   GIT_DIFF_DISABLE_PATHSPEC_MATCH | algorithm_flag(repository);
  options_.context_lines =
      static_cast<std::uint32_t>(number_setting(repository, "diff.context", 3));

  const std::vector<std::string> changed =
      selected(changed_paths(store_, old_tree, new_tree), paths);
  if (changed.empty()) return;
  set_up_attributes(changed, new_tree);
  compare(changed, old_tree, new_tree);
  find_renames(repository);
  put_in_order();
}

/// By the new name, as git does. libgit2 sorts, too, but not by the new names of hidden renames.
void DiffSession::put_in_order() {
  order_.resize(git_diff_num_deltas(diff_.get()));
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const auto name = [this](std::size_t at) {
    return std::string_view(git_diff_get_delta(diff_.get(), at)->new_file.path);
  };
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return name(a) < name(b); });
}

/// Naming what differs spares libgit2 the way through all trees: 130 ms for 78,000 files.
void DiffSession::compare(const std::vector<std::string>& changed, const Oid& old_tree,
                          const Oid& new_tree) {
  std::vector<char*> names;
  names.reserve(changed.size());
  // libgit2 takes pointers to what is not const, and doesn't write there.
  for (const std::string& path : changed) names.push_back(const_cast<char*>(path.c_str()));
  git_diff_options options = options_;
  std::set<std::string_view> only;
  if (std::all_of(changed.begin(), changed.end(), is_plain)) {
    options.pathspec = {names.data(), names.size()};
  } else {
    only.insert(changed.begin(), changed.end());
    options.notify_cb = is_not_in;
    options.payload = &only;
  }
  const TreeHandle before = look_up_tree(handle_.get(), old_tree);
  const TreeHandle after = look_up_tree(handle_.get(), new_tree);
  check(git_diff_tree_to_tree(Out(diff_), handle_.get(), before.get(), after.get(), &options),
        kDoing);
}

/// Gives libgit2 an index with the `.gitattributes` that count for the paths that differ. Its
/// handle has no worktree and so reads attributes from there.
void DiffSession::set_up_attributes(const std::vector<std::string>& changed, const Oid& new_tree) {
  check(git_index_new(Out(attributes_)), kDoing);
  std::set<std::string> directories{""};
  for (const std::string& path : changed) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      directories.insert(path.substr(0, slash + 1));
    }
  }
  std::vector<std::pair<std::string, Oid>> todo{{"", new_tree}};
  while (!todo.empty() && !new_tree.is_zero()) {
    const auto [prefix, tree] = std::move(todo.back());
    todo.pop_back();
    for (const TreeEntry& entry : store_.read_tree(tree)) {
      const std::string path = prefix + entry.name;
      if (entry.mode == FileMode::tree && directories.contains(path + "/")) {
        todo.emplace_back(path + "/", entry.oid);
      } else if (entry.name == kAttributesFile && is_blob(entry.mode)) {
        git_index_entry added{};
        added.mode = GIT_FILEMODE_BLOB;
        added.id = to_library(entry.oid);
        added.path = path.c_str();
        check(git_index_add(attributes_.get(), &added), kDoing);
      }
    }
  }
  check(git_repository_set_index(handle_.get(), attributes_.get()), kDoing);
}

/// Whether git would still compare each new file with each one that is gone (diffcore-rename.c:
/// too_many_rename_candidates).
bool DiffSession::few_rename_candidates(const Repository& repository) const {
  std::size_t sources = 0;
  std::size_t targets = 0;
  for (std::size_t i = 0; i < git_diff_num_deltas(diff_.get()); ++i) {
    const git_delta_t status = git_diff_get_delta(diff_.get(), i)->status;
    if (status == GIT_DELTA_DELETED) ++sources;
    if (status == GIT_DELTA_ADDED) ++targets;
  }
  const std::size_t limit = number_setting(repository, "diff.renameLimit", 1000);
  return limit == 0 || sources * targets <= limit * limit;
}

/// libgit2 1.5 looks for a better source of a file that it has found to be renamed, and fails on
/// its own result when there is one. git leaves exact renames alone (diffcore-rename.c: it takes
/// their sources and destinations out of the tables). In this scope they look like files that no
/// search for renames is interested in. The deltas stay where they are: only those that are split
/// or taken for a rename are replaced.
class RenamesHidden {
 public:
  explicit RenamesHidden(git_diff* diff) {
    for (std::size_t i = 0; i < git_diff_num_deltas(diff); ++i) {
      auto* const delta = const_cast<git_diff_delta*>(git_diff_get_delta(diff, i));
      if (delta->status != GIT_DELTA_RENAMED) continue;
      delta->status = GIT_DELTA_UNMODIFIED;
      hidden_.push_back(delta);
    }
  }
  RenamesHidden(const RenamesHidden&) = delete;
  RenamesHidden& operator=(const RenamesHidden&) = delete;
  ~RenamesHidden() {
    for (git_diff_delta* const delta : hidden_) {
      delta->status = GIT_DELTA_RENAMED;
      delta->similarity = 100;
    }
  }

 private:
  std::vector<git_diff_delta*> hidden_;
};

void DiffSession::find_renames(const Repository& repository) {
  const std::string setting = repository.config("diff.renames").value_or("true");
  const bool copies = setting == "copies" || setting == "copy";
  if (!copies && !repository.config_bool("diff.renames", true)) return;
  git_diff_find_options options{};
  check(git_diff_find_options_init(&options, GIT_DIFF_FIND_OPTIONS_VERSION), kDoing);
  options.flags = GIT_DIFF_FIND_RENAMES;
  if (copies) options.flags |= GIT_DIFF_FIND_COPIES;
  git_diff_similarity_metric metric = similarity_metric();
  options.metric = &metric;
  options.rename_limit = git_diff_num_deltas(diff_.get());
  // Files that merely moved need no reading; only what they leave is compared by content. (With
  // copies libgit2 1.5 fails on its own result.)
  if (!copies) {
    options.flags |= GIT_DIFF_FIND_EXACT_MATCH_ONLY;
    check(git_diff_find_similar(diff_.get(), &options), kDoing);
    options.flags &= ~static_cast<std::uint32_t>(GIT_DIFF_FIND_EXACT_MATCH_ONLY);
  }
  if (!few_rename_candidates(repository)) return;
  const RenamesHidden hidden(diff_.get());
  check(git_diff_find_similar(diff_.get(), &options), kDoing);
}

std::size_t DiffSession::size() const { return order_.size(); }

const git_diff_delta& DiffSession::delta(std::size_t at) const {
  return *git_diff_get_delta(diff_.get(), order_[at]);
}

/// A submodule's commit is a line of text.
std::string DiffSession::content_of(const git_diff_file& file) const {
  if (git_oid_is_zero(&file.id) != 0) return {};
  const Oid oid = from_library(file.id);
  if (static_cast<FileMode>(file.mode) != FileMode::gitlink) return store_.read_blob(oid);
  return "Subproject commit " + oid.hex() + "\n";
}

DiffText DiffSession::text(std::size_t at) const {
  const git_diff_delta& change = delta(at);
  if (!has_attributes(change.old_file) && !has_attributes(change.new_file)) {
    const bool added = change.status == GIT_DELTA_ADDED;
    const bool deleted = change.status == GIT_DELTA_DELETED;
    return text_of_sides(at, added ? Sides::after : deleted ? Sides::before : Sides::both);
  }
  DiffText text;
  check(git_patch_from_diff(Out(text.patch), diff_.get(), order_[at]), kDoing);
  return text;
}

DiffText DiffSession::text_of_sides(std::size_t at, Sides sides) const {
  const char* const path = delta(at).new_file.path;
  DiffText text;
  const auto held = [&](const git_diff_file& file) {
    return std::make_unique<const std::string>(content_of(file));
  };
  if (sides != Sides::after) text.before = held(delta(at).old_file);
  if (sides != Sides::before) text.after = held(delta(at).new_file);
  const auto data = [](const auto& content) { return content ? content->data() : nullptr; };
  const auto size = [](const auto& content) { return content ? content->size() : 0; };
  check(git_patch_from_buffers(Out(text.patch), data(text.before), size(text.before), path,
                               data(text.after), size(text.after), path, &options_),
        kDoing);
  return text;
}

std::uint64_t DiffSession::size_of(const git_diff_file& file) {
  if (git_oid_is_zero(&file.id) != 0) return 0;
  if (static_cast<FileMode>(file.mode) == FileMode::gitlink) return content_of(file).size();
  return store_.object_size(from_library(file.id));
}

/// userdiff.c: what a driver's configuration leaves open is detected, and no built-in one says it.
TextRule DiffSession::rule_of_driver(const std::string& driver) {
  const auto known = drivers_.find(driver);
  if (known != drivers_.end()) return known->second;
  const bool configured = repository_.config("diff." + driver + ".binary").has_value();
  return drivers_[driver] = configured ? TextRule::other : TextRule::detect;
}

TextRule DiffSession::text_rule(const char* path) {
  const char* value = nullptr;
  check(git_attr_get(&value, handle_.get(), GIT_ATTR_CHECK_FILE_THEN_INDEX, path, "diff"), kDoing);
  switch (git_attr_value(value)) {
    case GIT_ATTR_VALUE_UNSPECIFIED:
      return TextRule::detect;
    case GIT_ATTR_VALUE_TRUE:
      return TextRule::text;
    case GIT_ATTR_VALUE_STRING:
      return rule_of_driver(value);
    case GIT_ATTR_VALUE_FALSE:
      break;
  }
  return TextRule::other;
}

TextRule DiffSession::text_rule(const git_diff_delta& change) {
  const TextRule rule = text_rule(change.new_file.path);
  if (std::string_view(change.old_file.path) == change.new_file.path) return rule;
  return rule == text_rule(change.old_file.path) ? rule : TextRule::other;
}

void DiffSession::make_readable(const git_diff_delta& change) {
  for (const git_diff_file* file : {&change.old_file, &change.new_file}) {
    if (git_oid_is_zero(&file->id) == 0) store_.make_readable(from_library(file->id));
  }
}

}  // namespace wafers::git
