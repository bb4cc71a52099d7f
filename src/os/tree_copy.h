#pragma once

#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "os/plain_dir.h"
#include "os/task_pool.h"

namespace wafers {

/// Copies from directories in which others may be at work meanwhile into ones in which nobody is:
/// files (by reflink where the file system can, else with their holes), directories, symlinks,
/// fifos, sockets and devices, with modes, times, hard links among what one object copies, and the
/// owner where this process may give it; files and directories with all extended attributes that it
/// may read. No symlink is followed and no fifo waited for. Each file is as it was at some time
/// during the call; one that is written to all the time may have some of that. What vanishes is
/// left out, and what gets another name is there under one of them or under both. Contents are
/// written on all cores. A signal ends it as InterruptGuard::check() does. Throws Error(failed)
/// where something can't be read or written; what was copied until then stays. To be called on a
/// deep stack (os/deep_stack.h), by one thread.
class TreeCopy {
 public:
  /// What becomes of all but directories.
  enum class Files {
    copied,
    linked,  ///< other names of the same files: what is written to one is written to both
  };

  /// What is copied goes into `top`, which must outlive this, and directories below it that were
  /// reached from there.
  explicit TreeCopy(const PlainDir& top, Files files = Files::copied);

  /// From now on what may not be read or made is left out; `tell` hears of each entry. What there
  /// is no room for, or what breaks off, is thrown as before.
  void leave_out(std::function<void(const Error&)> tell) { tell_ = std::move(tell); }

  /// `copied` is called for each entry that was copied, or whose content will be by finish().
  void count(std::function<void()> copied) { copied_ = std::move(copied); }

  /// Copies all that is in `from` into `top`, which is empty and gets the extended attributes of
  /// `from` as well. Directories can be written by their owner until finish().
  void copy_all(const PlainDir& from);

  /// Copies what is at `path` in `from` to the same path in `top`, with the directories on the way
  /// to it that aren't there yet. Nothing comes in the place of what is there, or through a
  /// symlink: that is told as ChangedMeanwhile is, or left out. Contents may be written until
  /// finish().
  void copy_path(const PlainDir& from, std::string_view path);

  /// Gives directories the mode, owner and times that those of `from` have: after copy_all() and
  /// copy() `top` and all that are in it, after copy_path() those that were made.
  void finish(const PlainDir& from);

  /// Copies the entry `name`, if there is one; with all that is in it if it is a directory. Returns
  /// what it was; nothing of that name is in `to` where there was none. Contents may be written
  /// until finish().
  std::optional<struct stat> copy(const PlainDir& from, const std::string& name,
                                  const PlainDir& to);

 private:
  using Identity = std::pair<dev_t, ino_t>;

  /// A file that is there with its name, and gets the rest.
  struct Opened {
    UniqueFd source, copy;
    struct stat st {};
    std::string path;
  };
  static constexpr std::size_t kWaiting = 32;  ///< of them, each with two descriptors

  std::optional<struct stat> copy_entry(const PlainDir& from, const std::string& name,
                                        const PlainDir& to);
  bool copy_as(const struct stat& st, const PlainDir& from, const std::string& name,
               const PlainDir& to);
  void copy_below(const PlainDir& from, const PlainDir& to, std::string_view path, bool is_made);
  void fill(const Opened& file);
  bool is_left_out(const Error& error) const;
  bool copy_file(const PlainDir& from, const std::string& name, const PlainDir& to);
  bool copy_directory(const PlainDir& from, const std::string& name, const PlainDir& to);
  bool link_to_copy(const Identity& file, const std::string& name, const PlainDir& to) const;
  void copy_content(int from, struct stat& st, int to, const std::string& path);
  bool clone(int from, int to);
  bool copy_missing(const PlainDir& from, const PlainDir& to);
  bool look_again(const PlainDir& from, const PlainDir& to);

  const PlainDir& top_;
  Files files_;
  std::function<void(const Error&)> tell_;
  std::function<void()> copied_;
  std::set<Identity> directories_;         ///< that were copied
  std::map<Identity, std::string> links_;  ///< by file with several names, its first copy
  std::vector<std::string> made_;          ///< by copy_path(): directories whose parent was there
  bool finishes_all_ = false;
  std::atomic<bool> can_clone_ = true;
  WorkQueue<Opened> contents_;
};

}  // namespace wafers
