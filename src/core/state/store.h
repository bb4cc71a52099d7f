#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "core/state/wafer.h"

namespace wafers {

/// Takes one line for the person in front of the terminal, while the work goes on.
using Notify = std::function<void(std::string_view line)>;

/// Hears of what may take long, each time that one more is done: what is done, and how many are.
using Progress = std::function<void(std::string_view doing, std::size_t count)>;

/// Where all state lives: $WAFERS_STATE_DIR, else $XDG_STATE_HOME/wafers, else
/// ~/.local/state/wafers. Absolute, without symlinks as far as it exists. Nothing is made. Throws
/// Error(failed) where none of the variables is set.
std::filesystem::path state_directory();

/// Throws Error(refused) where the directory `root` is another user's, or can be written by others
/// and isn't plainly wafers' own: one that is, or that is empty, is made private (0700) instead.
/// Fine where there is none. Another user who can write there could have anything done with our
/// rights.
void require_own_state(const std::filesystem::path& root);

/// What the names of directories begin with in which wafers are made, under Store::lock_all().
inline constexpr std::string_view kAddingPrefix = ".adding-";

/// Of the state directory: the lock of Store::lock_freezing().
inline constexpr const char* kFreezingLock = ".freezing";

/// Name of the record in a wafer's directory.
inline constexpr const char* kRecordFile = "metadata";

/// Whether `name` may be a wafer's name: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
bool is_valid_wafer_name(std::string_view name);
/// Throws Error(usage) where it may not.
void require_valid_name(std::string_view name);

/// An exclusive flock(2), held until this object goes. Not inherited by programs that are executed.
class Lock {
 public:
  explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  UniqueFd fd_;
};

/// A directory of the state that should be a wafer's and whose record can't be read or believed.
struct InvalidEntry {
  std::string name;
  std::filesystem::path path;
  std::string reason;
  bool foreign = false;  ///< it, or its record, is another user's
};

/// What the state holds under one name: a wafer, an unreadable record, or nothing.
struct Lookup {
  std::optional<Wafer> wafer;
  std::optional<InvalidEntry> invalid;
};

/// What a crash of the host leaves of a record that was written; the end of this process alone
/// leaves the new one.
enum class Durability {
  synced,       ///< the new one
  old_or_new,   ///< one of both, whole
  until_crash,  ///< anything
};

/// All wafers' state on disk: `<root>/<name>/` with upper/, work/, mnt/, metadata, index and lock.
/// Records are replaced atomically, so that reading needs no lock. A process that changes a wafer
/// holds its lock; names, branches and mountpoints are given away under the one short lock of the
/// whole state. Lock order: a wafer's lock first, then lock_all(). Who holds lock_all() waits for
/// no wafer's lock: create_wafer() makes new ones with their lock taken.
class Store {
 public:
  /// `notify` hears of what people should know while a command goes on: that it waits for a lock,
  /// that a base has moved. `progress` hears of copying and removing.
  explicit Store(std::filesystem::path root, Notify notify = {}, Progress progress = {});

  const std::filesystem::path& root() const noexcept { return root_; }
  void tell(std::string_view line) const {
    if (notify_) notify_(line);
  }
  void show_progress(std::string_view doing, std::size_t count) const {
    if (progress_) progress_(doing, count);
  }
  /// The checkout in whose place this process sees a view (linux/covered_checkout.h); empty: none.
  const std::filesystem::path& covered_place() const noexcept { return covered_place_; }
  std::filesystem::path directory_of(const std::string& name) const { return root_ / name; }

  /// Makes the root (mode 0700) and what is missing above it. Returns what was made, outermost
  /// first. Throws as require_own_state() does.
  std::vector<std::filesystem::path> create() const;

  /// The lock of names, branches and mountpoints. The root must exist.
  Lock lock_all() const;

  /// The lock of who makes a snapshot for a frozen base, which can take minutes. The root must
  /// exist.
  Lock lock_freezing() const;

  /// The lock of one wafer. Throws Error(failed) where there is no such wafer (any more), and
  /// Error(refused) where it is another user's.
  Lock lock(const std::string& name) const;

  /// Whatever is there under this name.
  Lookup lookup(const std::string& name) const;

  /// The wafer, which must be ready. Throws Error(failed) where it is absent, unreadable, or only
  /// half made or removed, with the way out as hint, and Error(refused) where it is another user's.
  Wafer load(const std::string& name) const;

  /// Makes `<root>/<name>/` with an empty upper, work and mnt and the record, visible to others
  /// only when all is in place and its lock is held. The caller holds lock_all(). `held` is a new
  /// wafer that the caller has locked: its lock is this one's as well then, without a descriptor
  /// more, until another process takes either; where that can't be, as where there is no such
  /// wafer, a lock is returned. Throws Error(failed) where the name is taken.
  std::optional<Lock> create_wafer(const Wafer& wafer, const Wafer* held = nullptr) const;

  /// Puts `directory`, which lies in the root and holds a new upper/ and work/, in the place of the
  /// wafer's own in one step, with the record `wafer` and the lock that is held: whoever looks
  /// finds the old state or the new one. All of it is on the disk before. What was there is in
  /// `directory` then. The view is not mounted. Throws Error(failed); nothing has changed then.
  void exchange(const Wafer& wafer, const std::filesystem::path& directory) const;

  /// Takes exchange() back.
  void exchange_back(const Wafer& wafer, const std::filesystem::path& directory) const;

  /// Replaces the wafer's record.
  void save(const Wafer& wafer, Durability durability = Durability::synced) const;

  /// Replaces the records of many wafers, and waits for the disk once instead of for each.
  void save_all(const std::vector<const Wafer*>& wafers) const;

  /// Gives the wafer another name; its default mountpoint is in the new directory then, and not
  /// made yet. Whenever this process dies, the wafer is there under one of the names. The caller
  /// holds lock_all(), and the view is not mounted. Throws Error(failed) where the name is taken.
  void rename(Wafer& wafer, const std::string& name) const;

  struct Listing {
    std::vector<Wafer> wafers;  ///< by name, in every stage
    std::vector<InvalidEntry> invalid;
  };
  Listing list() const;

 private:
  Lock acquire(const std::filesystem::path& file, int flags, const std::string& what) const;
  std::vector<std::string> names() const;
  Error no_such_wafer(const std::string& name) const;
  std::string document_of(const Wafer& wafer) const;

  std::filesystem::path root_;
  Notify notify_;
  Progress progress_;
  std::filesystem::path covered_place_;  ///< of the checkout that a view covers for this process
};

/// A wafer that only this process changes: its record is read once, under its lock, and the lock is
/// held as long as this object lives. What is changed is on the disk after save(), not before. The
/// store must outlive it.
class LockedWafer {
 public:
  /// A wafer that is ready. Throws as Store::lock() and Store::load() do.
  LockedWafer(const Store& store, const std::string& name);

  /// A wafer in any stage, which was looked up under `lock`.
  LockedWafer(const Store& store, Lock lock, Wafer wafer)
      : store_(&store), lock_(std::move(lock)), wafer_(std::move(wafer)) {}

  Wafer& operator*() noexcept { return wafer_; }
  const Wafer& operator*() const noexcept { return wafer_; }
  Wafer* operator->() noexcept { return &wafer_; }
  const Wafer* operator->() const noexcept { return &wafer_; }

  const Store& store() const noexcept { return *store_; }

  /// Replaces the record. Throws Error; what was on the disk is there still.
  void save(Durability durability = Durability::synced) const { store_->save(wafer_, durability); }

 private:
  const Store* store_;
  Lock lock_;
  Wafer wafer_;
};

}  // namespace wafers
