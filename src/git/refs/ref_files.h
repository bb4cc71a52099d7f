#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/objects/object.h"
#include "git/objects/shared_mode.h"
#include "git/refs/repository_text.h"
#include "git/text/quote.h"

namespace wafers::git {

class LockFile;

/// A line of a reflog, with its end (git-update-ref(1), "LOGGING UPDATES").
std::string reflog_line(const Oid& before, const Oid& after, const Identity& who,
                        std::string_view message);

/// Refs kept in files: loose ones and packed-refs, written under git's own locks in git's own order
/// (refs/files-backend.c), each with its reflog entry. libgit2 is not used here: its removal of a
/// packed ref reads packed-refs before it takes the lock, so that a `git pack-refs` in between
/// would lose refs, and it has no way to give a reflog entry its date.
class RefFiles {
 public:
  /// core.logAllRefUpdates.
  enum class Logging { never, usual, always };

  RefFiles() = default;
  RefFiles(std::filesystem::path git_dir, std::filesystem::path common_dir, Logging logging,
           SharedMode shared);

  /// nullopt where there is no such ref. Throws Error(failed) where its content is malformed.
  std::optional<RefValue> read(const std::string& name) const;

  /// Reads each ref on the way once. Throws Error(failed) where there are too many.
  FollowedRef follow(const std::string& name) const;
  /// The object at the end of symbolic refs.
  std::optional<Oid> resolve(const std::string& name) const;

  struct LogEntry {
    Identity who;
    std::string message;
  };
  /// Throws Error(failed) where `name` exists, or a ref that would need it as a directory, or one
  /// that it would need as a directory. All three functions throw Error(busy) where another process
  /// keeps a lock for more than a second, and have then changed nothing.
  void create(const std::string& name, const Oid& target, const LogEntry& log) const;
  /// Throws Error(refused) where the ref is not at `expected` any more, or a symbolic one. The
  /// reflog of a HEAD that is on it is the caller's to write.
  void move(const std::string& name, const Oid& expected, const Oid& target,
            const LogEntry& log) const;
  /// Removes ref and reflog, and the directories that this leaves empty. Throws as move().
  void remove(const std::string& name, const Oid& expected) const;
  /// Removes the locks that a killed one of these functions has left, and no other.
  void take_away_dead_locks(const std::string& name) const noexcept;

 private:
  std::filesystem::path packed_refs() const { return common_dir_ / "packed-refs"; }
  const std::filesystem::path& base_of(const std::string& name) const;
  std::filesystem::path path_of(const std::string& name) const { return base_of(name) / name; }
  std::filesystem::path log_of(const std::string& name) const {
    return base_of(name) / "logs" / name;
  }
  std::optional<Oid> read_packed(const std::string& name) const;
  std::optional<std::string> conflict_of(const std::string& name) const;
  std::optional<std::string> ref_below(const std::string& name) const;
  void require_value(const std::string& name, const Oid& expected) const;
  void write(LockFile& lock, const std::string& name, const Oid& before, const Oid& after,
             const LogEntry& log) const;
  void append_log(const std::string& name, const std::string& line) const;
  bool starts_log(const std::string& name) const;
  void remove_packed(const std::string& name) const;

  std::filesystem::path git_dir_, common_dir_;
  Logging logging_ = Logging::usual;
  SharedMode shared_;
};

}  // namespace wafers::git
