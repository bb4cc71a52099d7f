#include "core/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "base/error.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "core/metadata.h"
#include "core/remove_tree.h"
#include "linux/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadata = "metadata";
constexpr const char* kLock = "lock";

/// Value of an environment variable; empty counts as unset, as the XDG specification wants it.
std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

fs::path configured_state_directory() {
  if (const auto own = environment("WAFERS_STATE_DIR")) return *own;
  // A relative path in an XDG variable is to be ignored (XDG Base Directory Specification).
  const auto xdg = environment("XDG_STATE_HOME");
  if (xdg && fs::path(*xdg).is_absolute()) return fs::path(*xdg) / "wafers";
  if (const auto home = environment("HOME")) return fs::path(*home) / ".local/state/wafers";
  throw Error(ErrorKind::failed, "cannot tell where to keep state: $HOME is not set",
              "set WAFERS_STATE_DIR to a directory of your own");
}

UniqueFd open_or_throw(const fs::path& path, int flags, mode_t mode = 0) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) {
    const int err = errno;
    throw Error::system(err, "cannot open " + wafers::quoted(path.native()));
  }
  return fd;
}

void sync(int fd, const fs::path& path) {
  if (::fsync(fd) == 0) return;
  const int err = errno;
  // Not every file system can sync a directory (EINVAL); there is nothing more that we could do.
  if (err != EINVAL) throw Error::system(err, "cannot sync " + wafers::quoted(path.native()));
}

void sync_directory(const fs::path& path) {
  sync(open_or_throw(path, O_RDONLY | O_DIRECTORY).get(), path);
}

void write_new_file(const fs::path& path, std::string_view content) {
  const UniqueFd fd = open_or_throw(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  write_all(fd.get(), content);
}

/// A file's new content, under another name until it takes the old one's place.
class Replacement {
 public:
  explicit Replacement(fs::path path)
      : path_(std::move(path)), temporary_(path_.native() + ".new") {}
  Replacement(Replacement&& other) noexcept
      : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}
  Replacement& operator=(Replacement&&) = delete;
  ~Replacement() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(std::string_view content, Durability durability) const {
    const UniqueFd fd = open_or_throw(temporary_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    write_all(fd.get(), content);
    if (durability == Durability::synced) sync(fd.get(), temporary_);
  }

  void take_place() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      const int err = errno;
      throw Error::system(err, "cannot replace " + wafers::quoted(path_.native()));
    }
    temporary_.clear();
  }

 private:
  fs::path path_;
  fs::path temporary_;  ///< empty: there is none any more
};

/// `path` holds either its old content or the new one, whenever this process dies; with
/// Durability::synced whenever the host does, and once this has returned, the new one.
void replace_file(const fs::path& path, std::string_view content, Durability durability) {
  Replacement replacement(path);
  replacement.write(content, durability);
  replacement.take_place();
  if (durability == Durability::synced) sync_directory(path.parent_path());
}

/// Content of a small file; nullopt where it does not exist.
std::optional<std::string> read_file(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    const int err = errno;
    if (err == ENOENT) return std::nullopt;
    throw Error::system(err, "cannot open " + wafers::quoted(path.native()));
  }
  std::string content;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0) {
      const int err = errno;
      if (err == EINTR) continue;
      throw Error::system(err, "cannot read " + wafers::quoted(path.native()));
    }
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return;
  const int err = errno;
  throw Error::system(err, "cannot make directory " + wafers::quoted(path.native()));
}

/// Takes the lock of an open file. Says so through `notify` when that takes long.
void wait_for_lock(int fd, const std::string& what, const Notify& notify) {
  constexpr int kTries = 50;
  constexpr timespec kPause{0, 20'000'000};
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return;
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    ::nanosleep(&kPause, nullptr);
  }
  if (notify) notify("waiting for another wafers command that works on " + what);
  while (::flock(fd, LOCK_EX) != 0) {
    const int err = errno;
    if (err != EINTR) throw Error::system(err, "cannot lock " + what);
  }
}

Error no_such_wafer(const std::string& name) {
  return Error(ErrorKind::failed, "there is no wafer " + wafers::quoted(name),
               "'wafers ls' lists the wafers that there are");
}

/// Whether `name` can be that of an entry of the state directory at all: no way out of it, and
/// nothing of our own.
bool may_be_entry(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

bool is_absent(int err) { return err == ENOENT || err == ENOTDIR; }

}  // namespace

fs::path state_directory() {
  return fs::weakly_canonical(fs::absolute(configured_state_directory()));
}

bool is_valid_wafer_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  constexpr std::string_view kFirst =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (name.empty() || name.size() > kLongest) return false;
  if (kFirst.find(name.front()) == std::string_view::npos) return false;
  return std::ranges::all_of(name, [&](char c) {
    return kFirst.find(c) != std::string_view::npos || c == '.' || c == '_' || c == '-';
  });
}

Store::Store(fs::path root, Notify notify) : root_(std::move(root)), notify_(std::move(notify)) {}

std::vector<fs::path> Store::create() const {
  std::vector<fs::path> missing;
  for (fs::path path = root_; !fs::exists(path); path = path.parent_path()) missing.push_back(path);
  std::ranges::reverse(missing);
  std::vector<fs::path> made;
  for (const fs::path& path : missing) {
    // The mode of directories above ours is what the XDG specification asks for.
    if (::mkdir(path.c_str(), 0700) == 0) {
      made.push_back(path);
      continue;
    }
    const int err = errno;
    if (err != EEXIST) {
      throw Error::system(err, "cannot make the state directory " + wafers::quoted(path.native()),
                          "set WAFERS_STATE_DIR to a directory that you can write to");
    }
  }
  return made;
}

Lock Store::acquire(const fs::path& file, int flags, const std::string& what) const {
  while (true) {
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
    if (!fd) {
      const int err = errno;
      throw Error::system(err, "cannot open the lock of " + what);
    }
    wait_for_lock(fd.get(), what, notify_);
    // Whoever removes a lock file does so holding its lock.
    if (is_at(fd.get(), file)) return Lock(std::move(fd));
  }
}

Lock Store::lock_all() const {
  while (true) {
    try {
      return acquire(root_ / ".lock", O_CREAT, "the state directory");
    } catch (const Error& error) {
      // A failing first `add` takes its new state directory away again; ours comes after it.
      if (error.errnum() != ENOENT) throw;
      create();
    }
  }
}

Lock Store::lock(const std::string& name) const {
  const fs::path directory = directory_of(name);
  struct stat stat {};
  if (!may_be_entry(name) || ::lstat(directory.c_str(), &stat) != 0) {
    throw no_such_wafer(name);
  }
  try {
    // O_CREAT: a damaged entry may have lost its lock file, and is to be removed under a lock.
    return acquire(directory / kLock, O_CREAT, "wafer " + wafers::quoted(name));
  } catch (const Error& error) {
    if (error.errnum() == ENOENT) throw no_such_wafer(name);
    throw;
  }
}

Lookup Store::lookup(const std::string& name) const {
  const fs::path directory = directory_of(name);
  struct stat stat {};
  if (!may_be_entry(name) || ::lstat(directory.c_str(), &stat) != 0) return {};
  const auto invalid = [&](std::string reason) {
    return Lookup{std::nullopt, InvalidEntry{name, directory, std::move(reason)}};
  };
  if (!is_valid_wafer_name(name)) return invalid("no wafer can have this name");
  if (!S_ISDIR(stat.st_mode)) return invalid("it is no directory");
  try {
    const auto document = read_file(directory / kMetadata);
    if (!document) return invalid("it has no metadata file");
    Wafer wafer = decode_metadata(*document);
    if (wafer.name != name) return invalid("its record is that of " + wafers::quoted(wafer.name));
    wafer.directory = directory;
    return {std::move(wafer), std::nullopt};
  } catch (const Error& error) {
    // What this process has run out of is no fault of the record.
    const int err = error.errnum().value_or(0);
    if (err == EMFILE || err == ENFILE || err == ENOMEM) throw;
    return invalid(error.message());
  }
}

Wafer Store::load(const std::string& name) const {
  Lookup found = lookup(name);
  if (found.invalid) {
    throw Error(
        ErrorKind::failed,
        "cannot read the record of wafer " + wafers::quoted(name) + ": " + found.invalid->reason,
        "'wafers rm --force " + name + "' removes it and all that its view held");
  }
  if (!found.wafer) throw no_such_wafer(name);
  if (found.wafer->stage != WaferStage::ready) {
    const bool adding = found.wafer->stage == WaferStage::adding;
    throw Error(ErrorKind::failed,
                "wafer " + wafers::quoted(name) + " is only half " + (adding ? "made" : "removed") +
                    ": the command that did it was interrupted",
                "'wafers rm " + name + "' removes the rest");
  }
  return std::move(*found.wafer);
}

Lock Store::create_wafer(const Wafer& wafer) const {
  const fs::path final_place = directory_of(wafer.name);
  const fs::path directory = root_ / (std::string(kAddingPrefix) + wafer.name);
  // Under lock_all() nobody else is at it: one that is there was left by a killed add.
  remove_tree(directory);
  const auto clean_up = [&]() noexcept {
    try {
      remove_tree(directory);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next add tries again
    }
  };
  ScopeGuard guard(clean_up);
  make_directory(directory, 0700);
  make_directory(directory / "upper", 0700);
  make_directory(directory / "work", 0700);
  write_new_file(directory / kMetadata, encode_metadata(wafer, {}));
  Lock lock = acquire(directory / kLock, O_CREAT, "wafer " + wafers::quoted(wafer.name));
  if (::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, final_place.c_str(), RENAME_NOREPLACE) !=
      0) {
    const int err = errno;
    if (err == EEXIST) {
      throw Error(ErrorKind::failed, "wafer " + wafers::quoted(wafer.name) + " exists already",
                  "choose another name, or remove it with 'wafers rm " + wafer.name + "'");
    }
    throw Error::system(err, "cannot make " + wafers::quoted(final_place.native()));
  }
  guard.dismiss();
  return lock;
}

void Store::save(const Wafer& wafer, Durability durability) const {
  const fs::path file = directory_of(wafer.name) / kMetadata;
  replace_file(file, encode_metadata(wafer, read_file(file).value_or(std::string())), durability);
}

void Store::save_all(const std::vector<const Wafer*>& wafers) const {
  constexpr std::size_t kFew = 16;  // whose fsyncs take no longer than a syncfs on a busy machine
  if (wafers.size() <= kFew) {
    for (const Wafer* const wafer : wafers) save(*wafer);
    return;
  }
  std::vector<Replacement> replacements;
  replacements.reserve(wafers.size());
  for (const Wafer* const wafer : wafers) {
    const fs::path file = directory_of(wafer->name) / kMetadata;
    const std::string previous = read_file(file).value_or(std::string());
    replacements.emplace_back(file).write(encode_metadata(*wafer, previous),
                                          Durability::until_crash);
  }
  // In this order no name ever leads to a content that is not on the disk.
  sync_file_system(root_);
  for (Replacement& replacement : replacements) replacement.take_place();
  sync_file_system(root_);
}

Store::Listing Store::list() const {
  Listing listing;
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(root_, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().native());
  }
  if (error && !is_absent(error.value())) {
    throw Error::system(error.value(),
                        "cannot read the state directory " + wafers::quoted(root_.native()));
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    // The lock, and what is in the making, give nothing.
    Lookup found = lookup(name);
    if (found.wafer) listing.wafers.push_back(std::move(*found.wafer));
    if (found.invalid) listing.invalid.push_back(std::move(*found.invalid));
  }
  return listing;
}

}  // namespace wafers
