#include "git/clean_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/attributes.h"
#include "git/config.h"
#include "git/convert.h"
#include "git/file.h"
#include "git/format.h"
#include "git/ignore.h"
#include "git/index_file.h"
#include "git/rule_files.h"
#include "git/worktree_stat.h"

namespace wafers::git {
namespace {

using Entries = std::span<const IndexEntry>;

/// One name in a directory of the index: a file's entry, or all entries below a directory.
struct Child {
  std::string_view name;
  Entries entries;
  bool is_directory = false;
};

/// Groups a directory's entries, all of which begin with `prefix_length` bytes of its path, by
/// their next component. In byte order of the names.
std::vector<Child> children_of(Entries entries, std::size_t prefix_length) {
  std::vector<Child> children;
  for (std::size_t i = 0; i < entries.size();) {
    const std::string_view rest = std::string_view(entries[i].path).substr(prefix_length);
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    std::size_t end = i + 1;
    const auto same_child = [&](const IndexEntry& entry) {
      const std::string_view other = std::string_view(entry.path).substr(prefix_length);
      if (!other.starts_with(name)) return false;
      return slash == std::string_view::npos ? other.size() == name.size()
                                             : other.size() > slash && other[slash] == '/';
    };
    while (end < entries.size() && same_child(entries[end])) ++end;
    children.push_back({name, entries.subspan(i, end - i), slash != std::string_view::npos});
    i = end;
  }
  std::stable_sort(children.begin(), children.end(),
                   [](const Child& a, const Child& b) { return a.name < b.name; });
  return children;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

/// The names in an open directory, in byte order, without "." and "..".
std::vector<std::string> names_in(int fd, const std::string& path) {
  UniqueFd copy(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDir> dir(copy ? ::fdopendir(copy.get()) : nullptr);
  if (!dir) {
    const int err = errno;
    throw Error::system(err, "cannot read the directory " + wafers::quoted(path) + " of the base");
  }
  static_cast<void>(copy.release());  // the stream owns it now
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

UniqueFd open_directory_at(int fd, const std::string& name, const std::string& path) {
  UniqueFd child(::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (child) return child;
  const int err = errno;
  throw Error::system(err, "cannot open the directory " + wafers::quoted(path) + " of the base");
}

std::optional<struct stat> stat_at(int fd, const std::string& name) {
  struct stat st {};
  if (::fstatat(fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return st;
}

bool is_link_or_file(const struct stat& st) { return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode); }

/// What is dirty, in the order in which git prints it.
class Findings {
 public:
  explicit Findings(bool quote_high) : quote_high_(quote_high) {}

  void staged(const std::string& path, char letter) { columns(path)[0] = letter; }
  void changed(const std::string& path, char letter) { columns(path)[1] = letter; }
  void untracked(std::string path) { untracked_.push_back(std::move(path)); }

  std::vector<std::string> lines(std::size_t limit) {
    std::vector<std::string> lines;
    for (const auto& [path, columns] : tracked_) add_line(lines, limit, columns, path);
    std::sort(untracked_.begin(), untracked_.end());
    for (const std::string& path : untracked_) add_line(lines, limit, "??", path);
    return lines;
  }

 private:
  std::string& columns(const std::string& path) {
    return tracked_.try_emplace(path, "  ").first->second;
  }

  void add_line(std::vector<std::string>& lines, std::size_t limit, const std::string& columns,
                const std::string& path) const {
    if (lines.size() < limit) lines.push_back(columns + " " + quote_status_path(path, quote_high_));
  }

  bool quote_high_;
  std::map<std::string, std::string> tracked_;
  std::vector<std::string> untracked_;
};

/// The attributes of the worktree's directories, read when a file must be hashed: seldom.
class Attributer {
 public:
  Attributer(const Repository& repository, ObjectStore& objects, const IndexFile& index)
      : repository_(repository), objects_(objects), index_(index) {}

  Attributes of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash);
    return scope(directory)->of_file(path.substr(slash == std::string::npos ? 0 : slash + 1));
  }

 private:
  const std::shared_ptr<const AttributeScope>& scope(const std::string& directory) {
    if (const auto known = scopes_.find(directory); known != scopes_.end()) return known->second;
    const std::string own = rules_in(directory);
    if (directory.empty()) {
      return scopes_[directory] = AttributeScope::root(attributes_file(repository_),
                                                       info_file(repository_, "attributes"), own,
                                                       letter_case(repository_));
    }
    const std::size_t slash = directory.rfind('/');
    const auto parent = scope(slash == std::string::npos ? "" : directory.substr(0, slash));
    const std::string name = directory.substr(slash == std::string::npos ? 0 : slash + 1);
    return scopes_[directory] = AttributeScope::child(parent, name, own);
  }

  /// The worktree's file, else the index's (attr.c: read_attr).
  std::string rules_in(const std::string& directory) {
    const std::string path = directory + (directory.empty() ? "" : "/") + ".gitattributes";
    struct stat st {};
    const std::string file = (repository_.worktree() / path).native();
    if (::lstat(file.c_str(), &st) == 0) {
      return S_ISREG(st.st_mode) ? read_file(file).value_or("") : std::string();
    }
    const IndexEntry* entry = index_.find(path);
    return entry != nullptr && is_blob(entry->mode) ? objects_.read_blob(entry->oid) : "";
  }

  const Repository& repository_;
  ObjectStore& objects_;
  const IndexFile& index_;
  std::map<std::string, std::shared_ptr<const AttributeScope>> scopes_;
};

/// A directory of the worktree that is being looked at.
struct Place {
  int fd = -1;
  const std::string& prefix;  ///< "" or ends in '/'
  const std::shared_ptr<const IgnoreScope>& ignore;
};

class Checker {
 public:
  explicit Checker(const Repository& repository)
      : repository_(repository),
        objects_(repository.objects(Writes::to_memory)),
        index_(IndexFile::read(repository.git_dir() / "index", IndexFile::Checksum::trusted)
                   .value_or(IndexFile{})),
        rules_(stat_rules(repository)),
        convert_(repository.convert_config()),
        attributes_(repository, *objects_, index_),
        findings_(repository.config_bool("core.quotePath", true)) {}

  CleanReport run(std::size_t limit) {
    compare_with_head();
    walk_root();
    CleanReport report;
    report.first_dirty = findings_.lines(limit);
    count_foreign_owners(report);
    return report;
  }

 private:
  // --- index against HEAD
  // -------------------------------------------------------------------------

  void compare_with_head() {
    const auto head = repository_.head_commit();
    const auto tree = head ? std::optional(repository_.tree_of(*head)) : std::nullopt;
    if (tree && index_.cached_tree == tree) return;
    compare_tree(tree, index_.entries, 0);
  }

  void compare_tree(const std::optional<Oid>& tree, Entries entries, std::size_t prefix_length) {
    std::vector<TreeEntry> recorded = tree ? objects_->read_tree(*tree) : std::vector<TreeEntry>();
    std::sort(recorded.begin(), recorded.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
    const std::string prefix =
        entries.empty() ? current_prefix_ : entries.front().path.substr(0, prefix_length);
    const std::vector<Child> children = children_of(entries, prefix_length);
    auto child = children.begin();
    auto entry = recorded.begin();
    while (child != children.end() || entry != recorded.end()) {
      const bool has_child =
          child != children.end() && (entry == recorded.end() || child->name <= entry->name);
      const bool has_entry =
          entry != recorded.end() && (child == children.end() || entry->name <= child->name);
      compare_name(has_entry ? &*entry : nullptr, has_child ? &*child : nullptr, prefix);
      if (has_child) ++child;
      if (has_entry) ++entry;
    }
  }

  void compare_name(const TreeEntry* recorded, const Child* child, const std::string& prefix) {
    const bool was_tree = recorded != nullptr && recorded->mode == FileMode::tree;
    const bool is_tree = child != nullptr && child->is_directory;
    if (was_tree || is_tree) {
      const std::string name(recorded != nullptr ? recorded->name : std::string(child->name));
      const std::string above = std::exchange(current_prefix_, prefix + name + "/");
      compare_tree(was_tree ? std::optional(recorded->oid) : std::nullopt,
                   is_tree ? child->entries : Entries{}, current_prefix_.size());
      current_prefix_ = above;
    }
    if (recorded != nullptr && !was_tree && (child == nullptr || is_tree)) {
      findings_.staged(prefix + recorded->name, 'D');
    }
    if (child != nullptr && !is_tree) {
      if (child->entries.front().stage != 0) return note_conflict(child->entries);
      compare_entry(was_tree ? nullptr : recorded, child->entries.front());
    }
  }

  /// wt-status.c: wt_shortstatus_unmerged(): which of base, ours and theirs there are.
  void note_conflict(Entries stages) {
    constexpr std::array<const char*, 8> kColumns{"  ", "DD", "AU", "UD", "UA", "DU", "AA", "UU"};
    unsigned mask = 0;
    for (const IndexEntry& entry : stages) mask |= 1U << static_cast<unsigned>(entry.stage - 1);
    const char* const columns = kColumns.at(mask & 7U);
    findings_.staged(stages.front().path, columns[0]);
    findings_.changed(stages.front().path, columns[1]);
  }

  void compare_entry(const TreeEntry* recorded, const IndexEntry& entry) {
    if (entry.intent_to_add) {
      findings_.changed(entry.path, 'A');
    } else if (recorded == nullptr) {
      findings_.staged(entry.path, 'A');
    } else if (recorded->mode != entry.mode || recorded->oid != entry.oid) {
      const bool both_files =
          recorded->mode != FileMode::symlink && entry.mode != FileMode::symlink &&
          recorded->mode != FileMode::gitlink && entry.mode != FileMode::gitlink;
      findings_.staged(entry.path, both_files || recorded->mode == entry.mode ? 'M' : 'T');
    }
  }

  void count_foreign_owners(CleanReport& report) const {
    const auto uid = static_cast<std::uint32_t>(::geteuid());
    const auto gid = static_cast<std::uint32_t>(::getegid());
    for (const IndexEntry& entry : index_.entries) {
      const bool unknown = entry.stat.mtime_seconds == 0 && entry.stat.ctime_seconds == 0;
      if (unknown || (entry.stat.uid == uid && entry.stat.gid == gid)) continue;
      if (report.foreign_owner_count++ == 0) report.first_foreign_path = entry.path;
    }
  }

  // --- worktree against index
  // ---------------------------------------------------------------------

  void walk_root() {
    const UniqueFd root(::open(repository_.worktree().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
      const int err = errno;
      throw Error::system(err, "cannot open " + wafers::quoted(repository_.worktree().native()));
    }
    const auto scope =
        IgnoreScope::root(excludes_file(repository_), info_file(repository_, "exclude"),
                          ignore_rules(root.get(), ""), letter_case(repository_));
    const std::string prefix;
    walk({root.get(), prefix, scope}, index_.entries);
  }

  /// The worktree's ignore file, else the index's where a sparse checkout left it out
  /// (dir.c: add_patterns). A symlink isn't followed.
  std::string ignore_rules(int fd, const std::string& prefix) {
    if (const auto st = stat_at(fd, ".gitignore")) {
      return S_ISREG(st->st_mode) ? read_file_at(fd, ".gitignore").value_or("") : "";
    }
    const IndexEntry* entry = index_.find(prefix + ".gitignore");
    const bool left_out = entry != nullptr && entry->skip_worktree && is_blob(entry->mode);
    return left_out ? objects_->read_blob(entry->oid) : "";
  }

  void walk(const Place& place, Entries entries) {
    const std::vector<Child> children = children_of(entries, place.prefix.size());
    const std::vector<std::string> names = names_in(place.fd, place.prefix);
    auto child = children.begin();
    for (const std::string& name : names) {
      for (; child != children.end() && child->name < name; ++child) note_deleted(child->entries);
      if (child != children.end() && child->name == name) {
        check_tracked(place, name, *child++);
      } else {
        check_untracked(place, name);
      }
    }
    for (; child != children.end(); ++child) note_deleted(child->entries);
  }

  void note_deleted(Entries entries) {
    for (const IndexEntry& entry : entries) {
      if (entry.stage == 0 && !entry.skip_worktree && !entry.assume_valid) {
        findings_.changed(entry.path, 'D');
      }
    }
  }

  void check_tracked(const Place& place, const std::string& name, const Child& child) {
    const auto st = stat_at(place.fd, name);
    if (!st) return note_deleted(child.entries);
    const IndexEntry& entry = child.entries.front();
    if (child.is_directory) {
      if (S_ISDIR(st->st_mode)) return descend(place, name, child.entries);
      note_deleted(child.entries);
      return check_untracked(place, name);
    }
    if (entry.stage != 0 || entry.assume_valid || entry.skip_worktree) return;
    if (entry.mode == FileMode::gitlink && S_ISDIR(st->st_mode)) return check_submodule(entry);
    // What is in a directory that has an entry's name git doesn't show.
    if (S_ISDIR(st->st_mode)) return note_deleted(child.entries);
    check_file(place, name, entry, *st);
  }

  void descend(const Place& place, const std::string& name, Entries entries) {
    const std::string prefix = place.prefix + name + "/";
    const UniqueFd fd = open_directory_at(place.fd, name, prefix);
    const auto scope = IgnoreScope::child(place.ignore, name, ignore_rules(fd.get(), prefix));
    walk({fd.get(), prefix, scope}, entries);
  }

  void check_file(const Place& place, const std::string& name, const IndexEntry& entry,
                  const struct stat& st) {
    if (entry.intent_to_add) return;  // noted as ' A' already
    if (!is_link_or_file(st)) return findings_.changed(entry.path, 'M');
    if (entry.mode == FileMode::gitlink) return findings_.changed(entry.path, 'T');
    switch (compare_stat(index_, entry, st, rules_)) {
      case StatVerdict::same:
        return;
      case StatVerdict::retyped:
        return findings_.changed(entry.path, 'T');
      case StatVerdict::suspicious:
        if (hash_of(place, name, entry, st) == entry.oid) return;
        [[fallthrough]];
      case StatVerdict::modified:
        return findings_.changed(entry.path, 'M');
    }
  }

  /// What `git add` would make of the file's content.
  Oid hash_of(const Place& place, const std::string& name, const IndexEntry& entry,
              const struct stat& st) {
    if (S_ISLNK(st.st_mode)) return objects_->hash_blob(link_target(place, name, st));
    const UniqueFd fd(
        ::openat(place.fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
      const int err = errno;
      throw Error::system(err, "cannot open " + wafers::quoted(entry.path) + " of the base");
    }
    const Conversion conversion = Conversion::choose(attributes_.of(entry.path), convert_);
    if (conversion.is_identity()) {
      return objects_->write_blob_from(fd.get(), static_cast<std::uint64_t>(st.st_size));
    }
    ConvertContext context;
    context.path = entry.path;
    context.directory = repository_.worktree();
    context.environment = {"GIT_DIR=" + repository_.git_dir().native()};
    context.recorded_blob = [&] { return std::optional(objects_->read_blob(entry.oid)); };
    return objects_->hash_blob(
        conversion.to_git(read_all(fd.get(), wafers::quoted(entry.path)), context));
  }

  static std::string link_target(const Place& place, const std::string& name,
                                 const struct stat& st) {
    std::string target(static_cast<std::size_t>(st.st_size) + 1, '\0');
    const ssize_t length = ::readlinkat(place.fd, name.c_str(), target.data(), target.size());
    target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return target;
  }

  // --- untracked files
  // ----------------------------------------------------------------------------

  void check_untracked(const Place& place, const std::string& name) {
    if (name == ".git" || place.ignore->all_ignored()) return;
    const auto st = stat_at(place.fd, name);
    if (!st) return;
    const bool directory = S_ISDIR(st->st_mode);
    if (!directory && !is_link_or_file(*st)) return;
    if (place.ignore->is_ignored(name, directory)) return;
    if (!directory) return findings_.untracked(place.prefix + name);
    if (has_untracked(place, name)) findings_.untracked(place.prefix + name + "/");
  }

  /// Whether git would show a directory without tracked files: a repository of its own, or some
  /// file in it that isn't ignored.
  bool has_untracked(const Place& place, const std::string& name) {
    const std::string prefix = place.prefix + name + "/";
    const UniqueFd fd = open_directory_at(place.fd, name, prefix);
    if (const auto git = stat_at(fd.get(), ".git")) {
      if (!S_ISDIR(git->st_mode) || ::faccessat(fd.get(), ".git/HEAD", F_OK, 0) == 0) return true;
    }
    const auto scope = IgnoreScope::child(place.ignore, name, ignore_rules(fd.get(), prefix));
    const Place here{fd.get(), prefix, scope};
    const std::vector<std::string> names = names_in(fd.get(), prefix);
    return std::any_of(names.begin(), names.end(), [&](const std::string& inner) {
      const auto st = stat_at(fd.get(), inner);
      if (!st || inner == ".git") return false;
      const bool directory = S_ISDIR(st->st_mode);
      if ((!directory && !is_link_or_file(*st)) || scope->is_ignored(inner, directory))
        return false;
      return !directory || has_untracked(here, inner);
    });
  }

  // --- submodules
  // ---------------------------------------------------------------------------------

  void check_submodule(const IndexEntry& entry) {
    const std::string ignored = ignored_of_submodule(entry.path);
    const auto directory = repository_.worktree() / entry.path;
    struct stat st {};
    if (ignored == "all" || ::lstat((directory / ".git").c_str(), &st) != 0) return;
    const Repository submodule = Repository::open(directory);
    if (submodule.head_commit() != entry.oid) return findings_.changed(entry.path, 'M');
    if (ignored == "dirty") return;
    constexpr std::size_t kAll = static_cast<std::size_t>(-1);
    const CleanReport inside = check_clean(submodule, kAll);
    const bool dirty = std::any_of(
        inside.first_dirty.begin(), inside.first_dirty.end(),
        [&](const std::string& line) { return ignored != "untracked" || !line.starts_with("??"); });
    if (dirty) findings_.changed(entry.path, 'M');
  }

  const Config& modules() const {
    if (!modules_) modules_ = Config::open_file(repository_.worktree() / ".gitmodules");
    return *modules_;
  }

  /// What git leaves out of sight of a submodule: "none", "untracked", "dirty" or "all".
  std::string ignored_of_submodule(const std::string& path) const {
    for (const auto& [key, name_of_path] : modules().settings()) {
      constexpr std::string_view kPathKey = ".path";
      if (!key.ends_with(kPathKey) || name_of_path != path) continue;
      const std::string setting = key.substr(0, key.size() - kPathKey.size()) + ".ignore";
      if (const auto own = repository_.config(setting)) return *own;
      if (const auto recorded = modules().get(setting)) return *recorded;
    }
    return repository_.config("diff.ignoreSubmodules").value_or("none");
  }

  const Repository& repository_;
  std::unique_ptr<ObjectStore> objects_;
  IndexFile index_;
  StatRules rules_;
  ConvertConfig convert_;
  Attributer attributes_;
  Findings findings_;
  std::string current_prefix_;
  mutable std::optional<Config> modules_;  ///< .gitmodules, read when the first submodule is met
};

}  // namespace

CleanReport check_clean(const Repository& repository, std::size_t limit) {
  return Checker(repository).run(limit);
}

}  // namespace wafers::git
