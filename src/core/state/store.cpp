#include "core/state/store.h"

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
#include "base/similar.h"
#include "base/text.h"
#include "core/state/record.h"
#include "core/state/record_check.h"
#include "linux/covered_checkout.h"
#include "os/files.h"
#include "os/remove_tree.h"
#include "os/replacement.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "lock";
constexpr const char* kGlobalLock = ".lock";

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

void write_new_file(const fs::path& path, std::string_view content) {
  const UniqueFd fd = open_or_throw(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  write_all(fd.get(), content);
}

/// `path` holds either its old content or the new one, whenever this process dies. `durability`
/// says what it holds when the host does.
void replace_file(const fs::path& path, std::string_view content, Durability durability) {
  using Sync = Replacement::Sync;
  Replacement replacement(path);
  replacement.write(content, durability == Durability::until_crash ? Sync::no : Sync::yes);
  replacement.take_place();
  if (durability == Durability::synced) sync_directory(path.parent_path());
}

bool is_own(const struct stat& status) { return status.st_uid == ::geteuid(); }

/// Whether another user could write there.
bool is_open_to_others(const struct stat& status) {
  return (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

struct stat status_of(const UniqueFd& fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0) return status;
  throw_errno("cannot look at", path.native());
}

/// Another user's. What it says isn't obeyed: it would be done with our rights.
class Foreign : public Error {
 public:
  Foreign(const std::string& what, const struct stat& status)
      : Error(ErrorKind::refused,
              what + " belongs to another user (uid " + std::to_string(status.st_uid) + ")") {}
};

/// A directory in the state, which is tightened where others could write in it. Empty with errno
/// set where it can't be opened. Throws Foreign.
UniqueFd open_entry(const fs::path& directory) {
  UniqueFd fd = open_file(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) return fd;
  const struct stat status = status_of(fd, directory);
  if (!is_own(status)) throw Foreign("it", status);
  if (is_open_to_others(status)) ::chmod(path_of_fd(fd.get()).c_str(), 0700);
  return fd;
}

/// The record in an open directory of the state; nullopt where there is none. Throws Error(failed)
/// with the reason alone, and Foreign.
std::optional<std::string> read_record(const UniqueFd& directory) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const UniqueFd fd = open_at(directory.get(), kRecordFile, kFlags);
  if (!fd) {
    const int err = errno;
    if (err == ENOENT) return std::nullopt;
    throw Error::system(err, "cannot open its record");
  }
  const struct stat status = status_of(fd, kRecordFile);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::failed, "its record is no regular file");
  if (!is_own(status)) throw Foreign("its record", status);
  if (is_open_to_others(status)) ::fchmod(fd.get(), 0600);
  // One byte more than may be there tells that it is too large, however much it is.
  std::string content(std::min(static_cast<std::size_t>(status.st_size), kLargestMetadata) + 1,
                      '\0');
  const ssize_t got = read_full(fd.get(), content.data(), content.size());
  if (got < 0) throw_errno("cannot read its record");
  content.resize(static_cast<std::size_t>(got));
  return content;
}

void take_main_checkout_for_one_that_is_gone(Wafer& wafer) {
  std::error_code error;
  if (wafer.main_checkout.empty() || fs::exists(wafer.checkout, error)) return;
  wafer.checkout = std::exchange(wafer.main_checkout, {});
}

/// With another name for each part of the base.
Wafer renamed(Wafer wafer, const std::function<fs::path(const fs::path&)>& name_of) {
  wafer.checkout = name_of(wafer.checkout);
  wafer.main_checkout = name_of(wafer.main_checkout);
  for (fs::path& layer : wafer.layers) layer = name_of(layer);
  wafer.git_dir = name_of(wafer.git_dir);
  return wafer;
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

bool has_more_names(int fd) {
  struct stat stat {};
  return ::fstat(fd, &stat) == 0 && stat.st_nlink > 1;
}

Error not_used(const std::string& name, const std::string& reason) {
  return Error(ErrorKind::refused, "wafer " + in_quotes(name) + " is not used: " + reason,
               "whoever it belongs to can remove it");
}

/// Whether `name` can be that of an entry of the state directory at all: no way out of it, and
/// nothing of our own.
bool may_be_entry(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

bool is_absent(int err) { return err == ENOENT || err == ENOTDIR; }

/// Whether a directory is, or may become, one that wafers keeps its state in, and nothing else.
bool is_for_state(const UniqueFd& directory) {
  struct stat lock {};
  if (::fstatat(directory.get(), kGlobalLock, &lock, AT_SYMLINK_NOFOLLOW) == 0) return true;
  std::error_code error;
  return fs::is_empty(path_of_fd(directory.get()), error);
}

Error exists_already(const std::string& name) {
  return Error(ErrorKind::failed, "wafer " + in_quotes(name) + " exists already",
               "choose another name, or remove it with 'wafers rm " + name + "'");
}

/// The directory of a wafer gets the place of a name that none has yet.
void rename_to_new(const fs::path& directory, const fs::path& place, const std::string& name) {
  if (::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
    return;
  }
  const int err = errno;
  if (err == EEXIST) throw exists_already(name);
  throw Error::system(err, "cannot make " + in_quotes(place.native()));
}

/// What Wafer::renamed_to says has come true.
void take_new_name(Wafer& wafer, const fs::path& root) {
  const std::string before = std::exchange(wafer.name, std::exchange(wafer.renamed_to, {}));
  if (wafer.mountpoint == default_mountpoint(root / before)) {
    wafer.mountpoint = default_mountpoint(root / wafer.name);
  }
}

/// What can be in the place of a lock file, and is no lock.
bool is_no_lock(int err) { return err == EISDIR || err == ELOOP || err == ENXIO; }

}  // namespace

fs::path state_directory() {
  return fs::weakly_canonical(fs::absolute(configured_state_directory()));
}

void require_own_state(const fs::path& root) {
  const UniqueFd fd = open_file(root, O_PATH | O_DIRECTORY);
  if (!fd) return;  // the caller that needs it says why
  const std::string name = "the state directory " + in_quotes(root.native());
  const std::string hint = "set WAFERS_STATE_DIR to a directory of your own";
  const struct stat status = status_of(fd, root);
  if (!is_own(status)) {
    throw Error(ErrorKind::refused,
                name + " belongs to another user (uid " + std::to_string(status.st_uid) + ")",
                "run wafers as that user, or " + hint);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  // A directory that is shared on purpose (/tmp), or has other uses (a home), stays as it is.
  const bool tighten = (status.st_mode & S_ISVTX) == 0 && is_for_state(fd);
  if (tighten && ::chmod(path_of_fd(fd.get()).c_str(), 0700) == 0) return;
  if (!is_open_to_others(status)) return;
  throw Error(ErrorKind::refused, name + " can be written by others",
              "chmod 700 " + shell_quoted(root.native()) + ", or " + hint);
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

void require_valid_name(std::string_view name) {
  if (is_valid_wafer_name(name)) return;
  throw Error(ErrorKind::usage, "invalid wafer name " + in_quotes(name),
              "a name is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or "
              "digit");
}

Store::Store(fs::path root, Notify notify, Progress progress)
    : root_(std::move(root)), notify_(std::move(notify)), progress_(std::move(progress)) {
  if (auto covered = find_covered_checkout(root_)) covered_place_ = std::move(covered->place);
}

std::string Store::document_of(const Wafer& wafer) const {
  if (covered_place_.empty()) return encode_metadata(wafer);
  const CoveredCheckout covered = covered_checkout(covered_place_, root_);
  return encode_metadata(
      renamed(wafer, [&](const fs::path& path) { return covered.outside(path); }));
}

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
      throw Error::system(err, "cannot make the state directory " + in_quotes(path.native()),
                          "set WAFERS_STATE_DIR to a directory that you can write to");
    }
  }
  require_own_state(root_);
  return made;
}

Lock Store::acquire(const fs::path& file, int flags, const std::string& what) const {
  while (true) {
    UniqueFd fd = open_file(file, O_RDWR | O_NOFOLLOW | flags, 0600);
    if (!fd) {
      const int err = errno;
      if (!is_no_lock(err)) throw Error::system(err, "cannot open the lock of " + what);
      remove_tree(file);
      continue;
    }
    if (!is_own(status_of(fd, file))) {
      // Its owner may hold it for ever.
      if (is_at(fd.get(), file)) remove_tree(file);
      continue;
    }
    wait_for_lock(fd.get(), what, notify_);
    // A lock file is removed by the holder of its lock alone.
    if (!is_at(fd.get(), file)) continue;
    if (!has_more_names(fd.get())) return Lock(std::move(fd));
    // It was made for many wafers at once; from now on this one has a lock of its own.
    if (::unlink(file.c_str()) != 0) {
      const int err = errno;
      throw Error::system(err, "cannot renew the lock of " + what);
    }
  }
}

Lock Store::lock_freezing() const {
  return acquire(root_ / kFreezingLock, O_CREAT, "frozen bases");
}

Lock Store::lock_all() const {
  while (true) {
    try {
      return acquire(root_ / kGlobalLock, O_CREAT, "the state directory");
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
    std::ignore = open_entry(directory);
  } catch (const Foreign& foreign) {
    throw not_used(name, foreign.message());
  }
  try {
    // O_CREAT: a damaged entry may have lost its lock file, and is to be removed under a lock.
    return acquire(directory / kLock, O_CREAT, "wafer " + in_quotes(name));
  } catch (const Error& error) {
    if (error.errnum() == ENOENT) throw no_such_wafer(name);
    throw;
  }
}

Lookup Store::lookup(const std::string& name) const {
  if (!may_be_entry(name)) return {};
  const fs::path directory = directory_of(name);
  const auto invalid = [&](const std::string& reason) {
    return Lookup{std::nullopt, InvalidEntry{name, directory, reason, false}};
  };
  try {
    const UniqueFd entry = open_entry(directory);
    const int err = entry ? 0 : errno;
    if (err == EMFILE || err == ENFILE || err == ENOMEM) {
      throw Error::system(err, "cannot open " + in_quotes(directory.native()));
    }
    struct stat stat {};
    if (!entry && (err != ENOTDIR || ::lstat(directory.c_str(), &stat) != 0)) return {};
    if (!is_valid_wafer_name(name)) return invalid("no wafer can have this name");
    if (!entry) return invalid("it is no directory");
    const auto document = read_record(entry);
    if (!document) return invalid("it has no metadata file");
    Wafer wafer = decode_metadata(*document);
    if (wafer.renamed_to == name) take_new_name(wafer, root_);
    if (wafer.name != name) return invalid("its record is that of " + in_quotes(wafer.name));
    require_believable(wafer, root_);
    wafer.directory = directory;
    if (!covered_place_.empty()) {
      const CoveredCheckout covered = covered_checkout(covered_place_, root_);
      wafer = renamed(std::move(wafer), [&](const fs::path& path) { return covered.inside(path); });
    }
    take_main_checkout_for_one_that_is_gone(wafer);
    return {std::move(wafer), std::nullopt};
  } catch (const Foreign& foreign) {
    return {std::nullopt, InvalidEntry{name, directory, foreign.message(), true}};
  } catch (const Error& error) {
    // What this process has run out of is no fault of the record.
    if (error.is_shortage()) throw;
    return invalid(error.message());
  }
}

Wafer Store::load(const std::string& name) const {
  Lookup found = lookup(name);
  if (found.invalid) {
    if (found.invalid->foreign) throw not_used(name, found.invalid->reason);
    throw Error(ErrorKind::failed,
                "cannot read the record of wafer " + in_quotes(name) + ": " + found.invalid->reason,
                "'wafers rm --force " + name + "' removes it and all that its view held");
  }
  if (!found.wafer) throw no_such_wafer(name);
  if (found.wafer->stage != WaferStage::ready) {
    const bool adding = found.wafer->stage == WaferStage::adding;
    throw Error(ErrorKind::failed,
                "wafer " + in_quotes(name) + " is only half " + (adding ? "made" : "removed") +
                    ": the command that did it was interrupted",
                "'wafers rm " + name + "' removes the rest");
  }
  return std::move(*found.wafer);
}

LockedWafer::LockedWafer(const Store& store, const std::string& name)
    : store_(&store), lock_(store.lock(name)), wafer_(store.load(name)) {}

std::optional<Lock> Store::create_wafer(const Wafer& wafer, const Wafer* held) const {
  const fs::path final_place = directory_of(wafer.name);
  const fs::path directory = root_ / (std::string(kAddingPrefix) + wafer.name);
  // Under lock_all() no other process is at it: one that is there was left by a killed add.
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
  write_new_file(directory / kRecordFile, document_of(wafer));
  std::optional<Lock> lock;
  if (held == nullptr ||
      ::link((held->directory / kLock).c_str(), (directory / kLock).c_str()) != 0) {
    lock = acquire(directory / kLock, O_CREAT, "wafer " + in_quotes(wafer.name));
  }
  rename_to_new(directory, final_place, wafer.name);
  guard.dismiss();
  return lock;
}

void Store::exchange(const Wafer& wafer, const fs::path& directory) const {
  const fs::path own = directory_of(wafer.name);
  write_new_file(directory / kRecordFile, document_of(wafer));
  if (::link((own / kLock).c_str(), (directory / kLock).c_str()) != 0) {
    throw_errno("cannot make", (directory / kLock).native());
  }
  sync_file_system(directory);
  exchange_back(wafer, directory);
  sync_directory(root_);
}

void Store::exchange_back(const Wafer& wafer, const fs::path& directory) const {
  const fs::path own = directory_of(wafer.name);
  if (::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, own.c_str(), RENAME_EXCHANGE) != 0) {
    throw_errno("cannot replace", own.native());
  }
}

void Store::rename(Wafer& wafer, const std::string& name) const {
  const fs::path place = directory_of(name);
  if (fs::exists(fs::symlink_status(place))) throw exists_already(name);
  wafer.renamed_to = name;
  save(wafer);
  rename_to_new(wafer.directory, place, name);
  sync_directory(root_);
  take_new_name(wafer, root_);
  wafer.directory = place;
  try {
    save(wafer);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it is meant already, see lookup()
  }
}

void Store::save(const Wafer& wafer, Durability durability) const {
  replace_file(directory_of(wafer.name) / kRecordFile, document_of(wafer), durability);
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
    replacements.emplace_back(directory_of(wafer->name) / kRecordFile)
        .write(document_of(*wafer), Replacement::Sync::no);
  }
  // In this order no name ever leads to a content that is not on the disk.
  sync_file_system(root_);
  for (Replacement& replacement : replacements) replacement.take_place();
  sync_file_system(root_);
}

std::vector<std::string> Store::names() const {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(root_, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().native());
  }
  if (error && !is_absent(error.value())) {
    throw Error::system(error.value(),
                        "cannot read the state directory " + in_quotes(root_.native()));
  }
  std::ranges::sort(names);
  return names;
}

Error Store::no_such_wafer(const std::string& name) const {
  std::vector<std::string> known = names();
  std::erase_if(known, [](const std::string& entry) { return !is_valid_wafer_name(entry); });
  return Error(
      ErrorKind::failed, "there is no wafer " + in_quotes(name),
      did_you_mean(similar_to(name, known), "'wafers ls' lists the wafers that there are"));
}

Store::Listing Store::list() const {
  Listing listing;
  for (const std::string& name : names()) {
    // The lock, and what is in the making, give nothing.
    Lookup found = lookup(name);
    if (found.wafer) listing.wafers.push_back(std::move(*found.wafer));
    if (found.invalid) listing.invalid.push_back(std::move(*found.invalid));
  }
  return listing;
}

}  // namespace wafers
