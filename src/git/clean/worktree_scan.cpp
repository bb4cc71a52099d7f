#include "git/clean/worktree_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"
#include "os/task_pool.h"
#include "os/worktree_open.h"

namespace wafers::git {
namespace {

using Records = std::span<const IndexRecord>;

constexpr const char* kIgnoreFile = ".gitignore";

/// So many files of one directory are looked at by one worker; and a worker for fewer isn't worth
/// its start.
constexpr std::size_t kFilesPerTask = 1024;

/// std::call_once(), which can be asked whether it was done.
class Once {
 public:
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

  template <typename Work>
  void call(Work work) {
    std::call_once(flag_, [&] {
      work();
      done_.store(true, std::memory_order_release);
    });
  }

 private:
  std::once_flag flag_;
  std::atomic<bool> done_{false};
};

/// A directory of the worktree with tracked files below it.
struct Directory {
  std::shared_ptr<Directory> parent;
  std::string path;  ///< "" or "a/b"
  std::string name;  ///< its last component
  Records records;   ///< all that the index has below it
  /// It is known to be ignored as a whole, so that untracked files in it don't count.
  bool ignored = false;
  const UntrackedCache::Directory* cached = nullptr;

  Once scope_made;
  std::shared_ptr<const IgnoreScope> scope;  ///< made when the first unknown name turns up
  Once rules_compared;
  bool same_rules = false;  ///< the ignore rules in force are those of the untracked cache

  std::string prefix() const { return path.empty() ? path : path + "/"; }
};

struct Task {
  std::shared_ptr<Directory> directory;
  /// Only these of its files, which are found below `opened`.
  Records files;
  std::shared_ptr<const UniqueFd> opened;
};

/// One name of a directory in the index: a file, or all that is below a directory.
struct Child {
  std::string_view name;
  Records records;
  bool is_directory = false;
};

/// The next component of a record's path below a directory.
std::string_view next_component(const IndexRecord& record, std::size_t prefix_length,
                                bool& is_directory) {
  const std::string_view rest = record.path().substr(prefix_length);
  const std::size_t slash = rest.find('/');
  is_directory = slash != std::string_view::npos;
  return rest.substr(0, slash);
}

/// Calls `visit` with each child of the directory whose path takes `prefix_length` bytes with its
/// '/'. In the index's order; a conflict gives one child for each of its stages.
template <typename Visit>
void for_each_child(Records records, std::size_t prefix_length, Visit visit) {
  for (std::size_t i = 0; i < records.size();) {
    Child child;
    child.name = next_component(records[i], prefix_length, child.is_directory);
    std::size_t count = 1;
    if (child.is_directory) {
      const std::string_view below =
          records[i].path().substr(0, prefix_length + child.name.size() + 1);
      const auto rest = records.subspan(i);
      const auto end = std::ranges::partition_point(
          rest, [&](const IndexRecord& record) { return record.path().starts_with(below); });
      count = static_cast<std::size_t>(end - rest.begin());
    }
    child.records = records.subspan(i, count);
    visit(child);
    i += count;
  }
}

/// Null where there is none. `children` are sorted by name.
const Child* find_child(std::span<const Child> children, std::string_view name) {
  const auto found = std::ranges::lower_bound(children, name, {}, &Child::name);
  return found != children.end() && found->name == name ? &*found : nullptr;
}

struct DirectoryName {
  std::string_view name;  ///< a NUL follows
  unsigned char type = DT_UNKNOWN;
};

/// The names in a directory, as the kernel hands them out.
class DirectoryNames {
 public:
  /// Reads those of an open directory, without "." and "..".
  void read(int fd, const std::string& path) {
    constexpr std::size_t kPiece = 32UL * 1024;
    std::size_t used = 0;
    while (true) {
      raw_.resize(std::max(raw_.size(), used + kPiece));
      const ssize_t got = ::getdents64(fd, raw_.data() + used, raw_.size() - used);
      if (got == 0) break;
      if (got < 0) {
        const int err = errno;
        throw Error::system(err, "cannot read the directory " + in_quotes(path) + " of the base");
      }
      used += static_cast<std::size_t>(got);
    }
    find_names(used);
  }

  std::span<const DirectoryName> all() const noexcept { return names_; }

 private:
  void find_names(std::size_t size) {
    names_.clear();
    for (std::size_t at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(raw_.data() + at);
      at += entry->d_reclen;
      const std::string_view name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") names_.push_back({name, entry->d_type});
    }
  }

  std::vector<char> raw_;  ///< aligned as the kernel's records want it: by operator new
  std::vector<DirectoryName> names_;
};

std::optional<struct stat> stat_at(int fd, const char* name) {
  struct stat st {};
  if (::fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return st;
}

/// The type of a directory's entry, where the file system doesn't tell it with the name.
unsigned char type_of(int fd, const DirectoryName& entry) {
  if (entry.type != DT_UNKNOWN) return entry.type;
  const auto st = stat_at(fd, entry.name.data());
  return st ? static_cast<unsigned char>(IFTODT(st->st_mode)) : static_cast<unsigned char>(DT_FIFO);
}

/// Git sees nothing else.
bool is_visible(unsigned char type) { return type == DT_REG || type == DT_LNK || type == DT_DIR; }

bool is_absent(int err) { return err == ENOENT || err == ENOTDIR || err == ELOOP; }

std::string not_permitted(const std::string& what) { return what + ": " + describe_errno(EACCES); }

Error cannot_open(int err, const std::string& path) {
  return Error::system(err, "cannot open the directory " + in_quotes(path) + " of the base");
}

/// What isn't the caller's, by owner.
class Owners {
 public:
  void file(uid_t uid, gid_t gid, std::string_view path) {
    if (uid == own_uid_ && gid == own_gid_) return;
    add({uid, gid, 1, 0, std::string(path)});
  }
  void directory(uid_t uid, gid_t gid, const std::string& path) {
    if ((uid == own_uid_ && gid == own_gid_) || path.empty()) return;
    add({uid, gid, 0, 1, path + "/"});
  }
  void add(const OwnedFiles& more) {
    auto known = std::ranges::find_if(all_, [&](const OwnedFiles& owned) {
      return owned.uid == more.uid && owned.gid == more.gid;
    });
    if (known == all_.end()) return all_.push_back(more);
    known->files += more.files;
    known->directories += more.directories;
    known->first = std::min(known->first, more.first);
  }
  const std::vector<OwnedFiles>& all() const noexcept { return all_; }

 private:
  uid_t own_uid_ = ::geteuid();
  gid_t own_gid_ = ::getegid();
  std::vector<OwnedFiles> all_;  ///< a few
};

/// What all workers share; nothing of it changes but what is guarded.
class Shared {
 public:
  explicit Shared(const ScanInput& input)
      : input_(input), root_(::open(input.worktree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) {
      const int err = errno;
      throw Error::system(err, "cannot open " + in_quotes(input.worktree));
    }
  }

  const ScanInput& input() const noexcept { return input_; }
  int root() const noexcept { return root_.get(); }
  TaskPool<Task>& tasks() noexcept { return tasks_; }

  UniqueFd open(const std::string& path, int flags) const {
    return open_in_worktree(root_.get(), path, flags);
  }

  /// The ignore rules in force in a directory.
  const std::shared_ptr<const IgnoreScope>& scope_of(Directory& directory) {
    from_above(directory, &Directory::scope_made, [this](Directory& one) {
      one.scope = one.parent ? child_scope(one.parent->scope, one.path, one.name)
                             : IgnoreScope::root(input_.excludes_file, input_.info_exclude,
                                                 ignore_rules(""), input_.letters);
    });
    return directory.scope;
  }

  bool is_unchanged(const IndexRecord& record) const {
    const FileMonitor* const monitor = input_.file_monitor;
    return monitor != nullptr &&
           monitor->is_unchanged(static_cast<std::size_t>(&record - input_.index.entries().data()));
  }

  bool is_quiet(const Directory& directory) const {
    return input_.file_monitor != nullptr && input_.file_monitor->is_quiet(directory.path);
  }

  /// Whether the untracked cache has it that no name in the directory is untracked, given that the
  /// directory itself hasn't changed. `children`: what the index has in it, sorted by name.
  bool is_cached_clean(Directory& directory, std::span<const Child> children) {
    const UntrackedCache::Directory* const cached = directory.cached;
    if (cached == nullptr || !cached->valid || cached->check_only || cached->untracked_count > 0) {
      return false;
    }
    // What is in a directory without tracked files may have changed on its own.
    const bool all_tracked = std::ranges::all_of(cached->subdirectories, [&](std::size_t number) {
      const Child* const child = find_child(children, input_.untracked_cache->at(number).name);
      return child != nullptr && child->is_directory;
    });
    return all_tracked && has_same_rules(directory);
  }

  /// Of the ignore files that may not be read.
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

  std::shared_ptr<const IgnoreScope> child_scope(const std::shared_ptr<const IgnoreScope>& parent,
                                                 const std::string& path, std::string_view name) {
    return IgnoreScope::child(parent, name, ignore_rules(path + "/"));
  }

 private:
  /// Does once what a directory needs from the one above, first to those above. A repository may be
  /// nested more deeply than a thread's stack allows.
  template <typename Work>
  static void from_above(Directory& directory, Once Directory::*once, Work work) {
    std::vector<Directory*> todo;
    for (Directory* one = &directory; one != nullptr && !(one->*once).done();
         one = one->parent.get()) {
      todo.push_back(one);
    }
    for (auto one = todo.rbegin(); one != todo.rend(); ++one) {
      ((*one)->*once).call([&] { work(**one); });
    }
  }

  /// Whether the ignore files of the directory and of those above are those of the untracked cache.
  bool has_same_rules(Directory& directory) {
    from_above(directory, &Directory::rules_compared, [this](Directory& one) {
      if (one.cached == nullptr || (one.parent && !one.parent->same_rules)) return;
      // One that wasn't there can't have come to a directory where nothing was touched.
      one.same_rules = (!one.cached->ignore_file && is_quiet(one)) ||
                       UntrackedCache::is_same_file(one.cached->ignore_file,
                                                    ignore_file(one.prefix() + kIgnoreFile));
    });
    return directory.same_rules;
  }

  /// The ignore file of the worktree; nullopt where there is none. A symlink isn't followed.
  std::optional<std::string> ignore_file(const std::string& path) {
    const UniqueFd fd = open(path, O_RDONLY | O_NONBLOCK);
    if (!fd) {
      const int err = errno;
      if (is_absent(err) || err == ENXIO) return std::nullopt;
      if (err == EACCES) {
        const std::lock_guard lock(warning_);
        warnings_.push_back(not_permitted("unable to access " + in_quotes(path)));
        return std::nullopt;
      }
      throw Error::system(err, "cannot open " + in_quotes(path) + " of the base");
    }
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
    return read_all(fd.get(), path);
  }

  /// The worktree's ignore file, else the index's where a sparse checkout left it out
  /// (dir.c: add_patterns). A symlink isn't followed.
  std::string ignore_rules(const std::string& prefix) {
    const std::string path = prefix + kIgnoreFile;
    if (auto content = ignore_file(path)) return *std::move(content);
    const IndexRecord* const record = input_.index.find(path);
    if (record == nullptr || !record->skip_worktree() || !is_blob(record->mode())) return {};
    const std::lock_guard lock(reading_blobs_);
    return input_.read_blob(record->oid());
  }

  const ScanInput& input_;
  UniqueFd root_;
  TaskPool<Task> tasks_;
  std::mutex reading_blobs_;
  std::mutex warning_;
  std::vector<std::string> warnings_;
};

/// One thread's part of the scan.
class Worker {
 public:
  explicit Worker(Shared& shared) : shared_(shared), rules_(shared.input().stat_rules) {}

  void run(Task& task) {
    const std::shared_ptr<Directory>& directory = task.directory;
    if (task.opened) {
      list_children(task.files, *directory);
      return check_files(task.opened->get());
    }
    const std::size_t files = list_children(directory->records, *directory);
    note_owners_known_to_git();
    bool names = !directory->ignored;
    if (names) std::ranges::sort(children_, {}, &Child::name);
    const bool cached_clean = names && shared_.is_cached_clean(*directory, children_);
    if (cached_clean && shared_.is_quiet(*directory)) names = false;
    if (files > 0 || names) {
      bool denied = false;
      UniqueFd fd = open_directory(directory, names ? O_RDONLY : O_PATH, denied);
      if (denied && names && files > 0) {
        names = false;  // its files may be known by name all the same
        fd = open_directory(directory, O_PATH, denied);
      }
      if (!fd && !denied) return;
      if (fd) {
        note_owner_of(*directory, fd.get());
        look_into(directory, fd, files,
                  names && !(cached_clean && is_as_cached(*directory, fd.get())));
      }
    } else if (cached_clean) {
      owners_.directory(directory->cached->stat.uid, directory->cached->stat.gid, directory->path);
    } else if (const UniqueFd fd = shared_.open(directory->path, O_PATH | O_DIRECTORY)) {
      note_owner_of(*directory, fd.get());
    }
    for (const Child& child : children_) {
      if (child.is_directory) push_directory(directory, child);
    }
  }

  ScanResult& result() noexcept { return result_; }
  const Owners& owners() const noexcept { return owners_; }

 private:
  void look_into(const std::shared_ptr<Directory>& directory, const UniqueFd& fd, std::size_t files,
                 bool names) {
    if (names) check_names(*directory, fd.get());
    if (files > kFilesPerTask) {
      push_files(directory, fd);
    } else if (files > 0) {
      check_files(fd.get());
    }
  }

  static std::size_t prefix_length(const Directory& directory) {
    return directory.path.empty() ? 0 : directory.path.size() + 1;
  }

  bool must_be_looked_at(const Child& child) const {
    return !child.is_directory && !shared_.is_unchanged(child.records.front());
  }

  /// Fills children_ from some records of the directory. How many of them are files that have to be
  /// looked at.
  std::size_t list_children(Records records, const Directory& directory) {
    children_.clear();
    for_each_child(records, prefix_length(directory),
                   [&](const Child& child) { children_.push_back(child); });
    return static_cast<std::size_t>(std::ranges::count_if(
        children_, [&](const Child& child) { return must_be_looked_at(child); }));
  }

  /// Of the files of children_ that the file monitor vouches for: they are as the index has them.
  void note_owners_known_to_git() {
    if (shared_.input().file_monitor == nullptr) return;
    for (const Child& child : children_) {
      if (child.is_directory || must_be_looked_at(child)) continue;
      const IndexRecord& record = child.records.front();
      const IndexStat stat = record.stat();
      const bool unknown = stat.mtime_seconds == 0 && stat.ctime_seconds == 0;
      if (!unknown) owners_.file(stat.uid, stat.gid, record.path());
    }
  }

  void note_owner_of(const Directory& directory, int fd) {
    struct stat st {};
    if (::fstat(fd, &st) == 0) owners_.directory(st.st_uid, st.st_gid, directory.path);
  }

  /// Whether nothing has come into the directory or left it since the untracked cache was written.
  bool is_as_cached(const Directory& directory, int fd) const {
    struct stat st {};
    return ::fstat(fd, &st) == 0 &&
           is_same_stat(directory.cached->stat, shared_.input().index.written(), st, rules_);
  }

  /// Empty where there is no such directory any more, or the permissions have it `denied`; that is
  /// noted then.
  UniqueFd open_directory(const std::shared_ptr<Directory>& directory, int access, bool& denied) {
    UniqueFd fd = shared_.open(directory->path, access | O_DIRECTORY);
    if (fd) return fd;
    const int err = errno;
    if (err == EACCES) {
      if (!std::exchange(denied, true)) warn_of_directory(directory->path);
      return {};
    }
    if (!is_absent(err)) throw cannot_open(err, directory->path);
    note_deleted(directory->records);
    // Something else may be there now: the caller of this directory's parent knows the name only.
    if (err != ENOENT && directory->parent && !directory->parent->ignored) {
      if (const UniqueFd above = shared_.open(directory->parent->path, O_PATH | O_DIRECTORY)) {
        check_unknown(*directory->parent, above.get(), {directory->name, DT_UNKNOWN});
      }
    }
    return {};
  }

  void warn_of_directory(const std::string& path) {
    result_.warnings.push_back(not_permitted("could not open directory " + in_quotes(path + "/")));
  }

  void note_deleted(Records records) {
    for (const IndexRecord& record : records) note_deleted(record);
  }

  void note_deleted(const IndexRecord& record) {
    if (record.stage() == 0 && !record.skip_worktree() && !record.assume_valid()) {
      result_.deleted.push_back(&record);
    }
  }

  void push_directory(const std::shared_ptr<Directory>& parent, const Child& child) {
    auto directory = std::make_shared<Directory>();
    directory->name = child.name;
    directory->path = parent->prefix() + directory->name;
    directory->records = child.records;
    // The directories at the top are few, and one that is ignored saves reading all below it. In
    // others the rules would cost more than reading the names.
    directory->ignored =
        parent->ignored ||
        (!parent->parent && shared_.scope_of(*parent)->is_ignored(directory->name, true));
    if (parent->cached != nullptr) {
      directory->cached = shared_.input().untracked_cache->find(*parent->cached, child.name);
    }
    directory->parent = parent;
    shared_.tasks().push({std::move(directory), {}, {}});
  }

  void push_files(const std::shared_ptr<Directory>& directory, const UniqueFd& fd) {
    const auto copy = std::make_shared<const UniqueFd>(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!*copy) {
      const int err = errno;
      throw cannot_open(err, directory->path);
    }
    Records rest = directory->records;
    while (!rest.empty()) {
      const std::size_t count = std::min(rest.size(), kFilesPerTask);
      shared_.tasks().push({directory, rest.first(count), copy});
      rest = rest.subspan(count);
    }
  }

  // --- tracked files

  /// Those of children_.
  void check_files(int fd) {
    for (const Child& child : children_) {
      if (must_be_looked_at(child)) check_file(fd, child.name, child.records.front());
    }
  }

  void check_file(int fd, std::string_view name, const IndexRecord& record) {
    if (record.stage() != 0 || record.assume_valid() || record.skip_worktree()) return;
    // The name ends the path, and a NUL follows that.
    const auto st = stat_at(fd, name.data());
    if (!st) {
      const int err = errno;
      if (is_absent(err)) return note_deleted(record);
      if (err == EACCES) {
        const std::string_view path = record.path();
        return warn_of_directory(std::string(path.substr(0, path.rfind('/'))));
      }
      throw Error::system(err, "cannot look at " + in_quotes(record.path()) + " of the base");
    }
    const FileMode mode = record.mode();
    if (S_ISDIR(st->st_mode)) {
      if (mode != FileMode::gitlink) return note_deleted(record);
      owners_.directory(st->st_uid, st->st_gid, std::string(record.path()));
      return result_.submodules.push_back(&record);
    }
    owners_.file(st->st_uid, st->st_gid, record.path());
    if (record.intent_to_add()) return;  // told of by the comparison with HEAD
    if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode)) return result_.modified.push_back(&record);
    if (mode == FileMode::gitlink) return result_.retyped.push_back(&record);
    if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
      result_.linked.push_back({st->st_dev, st->st_ino, &record});
    }
    const RecordedFile recorded{mode, record.stat(), shared_.input().index.written()};
    switch (compare_stat(recorded, *st, rules_)) {
      case StatVerdict::same:
        return;
      case StatVerdict::retyped:
        return result_.retyped.push_back(&record);
      case StatVerdict::modified:
        return result_.modified.push_back(&record);
      case StatVerdict::suspicious:
        return result_.suspicious.push_back(&record);
    }
  }

  // --- untracked files

  void check_names(Directory& directory, int fd) {
    names_.read(fd, directory.path);
    for (const DirectoryName& entry : names_.all()) {
      // A tracked directory whose name is something else now is found by whoever opens it.
      if (find_child(children_, entry.name) == nullptr) check_unknown(directory, fd, entry);
    }
  }

  /// A name that the index doesn't have in this directory.
  void check_unknown(Directory& directory, int fd, const DirectoryName& entry) {
    if (entry.name == ".git") return;
    const auto& scope = shared_.scope_of(directory);
    if (scope->all_ignored()) return;
    const unsigned char type = type_of(fd, entry);
    if (!is_visible(type) || scope->is_ignored(entry.name, type == DT_DIR)) return;
    std::string path = directory.prefix() + std::string(entry.name);
    if (type != DT_DIR) {
      result_.untracked.push_back(std::move(path));
    } else if (has_untracked(path, entry.name, scope)) {
      result_.untracked.push_back(path + "/");
    }
  }

  /// A directory without tracked files, and how far its names were looked at.
  struct Unknown {
    struct Name {
      std::string text;
      unsigned char type;
    };
    std::string path;
    std::shared_ptr<const IgnoreScope> scope;
    std::vector<Name> names;
    std::size_t next = 0;
    bool is_repository = false;
  };

  /// Nothing is in one that is gone meanwhile, or that may not be read.
  Unknown open_unknown(std::string path, std::string_view name,
                       const std::shared_ptr<const IgnoreScope>& above) {
    Unknown unknown{.path = std::move(path), .scope = {}, .names = {}};
    const UniqueFd fd = shared_.open(unknown.path, O_RDONLY | O_DIRECTORY);
    if (!fd) {
      const int err = errno;
      if (err == EACCES) {
        warn_of_directory(unknown.path);
      } else if (!is_absent(err)) {
        throw cannot_open(err, unknown.path);
      }
      return unknown;
    }
    unknown.is_repository = is_repository(fd.get());
    if (unknown.is_repository) return unknown;
    DirectoryNames found;
    found.read(fd.get(), unknown.path);
    for (const DirectoryName& entry : found.all()) {
      unknown.names.push_back({std::string(entry.name), type_of(fd.get(), entry)});
    }
    unknown.scope = shared_.child_scope(above, unknown.path, name);
    return unknown;
  }

  /// Whether git would show a directory without tracked files: a repository of its own, or some
  /// file in it that isn't ignored.
  bool has_untracked(const std::string& path, std::string_view name,
                     const std::shared_ptr<const IgnoreScope>& above) {
    std::vector<Unknown> open;
    open.push_back(open_unknown(path, name, above));
    while (!open.empty()) {
      if (open.back().is_repository) return true;
      if (open.back().next == open.back().names.size()) {
        open.pop_back();
        continue;
      }
      Unknown& unknown = open.back();
      const auto& [text, type] = unknown.names[unknown.next++];
      const bool directory = type == DT_DIR;
      if (text == ".git" || !is_visible(type) || unknown.scope->is_ignored(text, directory))
        continue;
      if (!directory) return true;
      open.push_back(open_unknown(unknown.path + "/" + text, text, unknown.scope));
    }
    return false;
  }

  static bool is_repository(int fd) {
    const auto git = stat_at(fd, ".git");
    if (!git) return false;
    return !S_ISDIR(git->st_mode) || ::faccessat(fd, ".git/HEAD", F_OK, 0) == 0;
  }

  Shared& shared_;
  const StatRules& rules_;
  ScanResult result_;
  Owners owners_;
  std::vector<Child> children_;  ///< kept for their memory alone, as the names
  DirectoryNames names_;
};

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

ScanResult scan_worktree(const ScanInput& input) {
  Shared shared(input);
  auto root = std::make_shared<Directory>();
  root->records = input.index.entries();
  if (input.untracked_cache != nullptr) root->cached = &input.untracked_cache->root();
  shared.tasks().push({std::move(root), {}, {}});

  const unsigned count = thread_count(input.index.entries().size() / kFilesPerTask + 1);
  std::vector<Worker> workers;
  workers.reserve(count);
  for (unsigned i = 0; i < count; ++i) workers.emplace_back(shared);
  run_workers(count, [&](unsigned worker) {
    shared.tasks().work([&](Task& task) { workers[worker].run(task); });
  });

  ScanResult all;
  Owners owners;
  for (Worker& worker : workers) {
    ScanResult& part = worker.result();
    append(all.deleted, part.deleted);
    append(all.modified, part.modified);
    append(all.retyped, part.retyped);
    append(all.suspicious, part.suspicious);
    append(all.submodules, part.submodules);
    append(all.untracked, part.untracked);
    append(all.linked, part.linked);
    append(all.warnings, part.warnings);
    for (const OwnedFiles& owned : worker.owners().all()) owners.add(owned);
  }
  all.of_others = owners.all();
  std::vector<std::string> of_rules = shared.take_warnings();
  append(all.warnings, of_rules);
  std::ranges::sort(all.warnings);
  // Not std::ranges::unique(): clang 14 can't compile what it returns.
  all.warnings.erase(std::unique(all.warnings.begin(), all.warnings.end()), all.warnings.end());
  return all;
}

}  // namespace wafers::git
