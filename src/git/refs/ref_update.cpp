#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/refs/lock_file.h"
#include "git/refs/ref_files.h"
#include "os/files.h"
#include "os/replacement.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// "Name <email> seconds +hhmm".
std::string signature(const Identity& who) {
  std::array<char, 64> when{};
  const int minutes = std::abs(who.offset_minutes);
  std::snprintf(when.data(), when.size(), " %lld %c%02d%02d", static_cast<long long>(who.seconds),
                who.offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return who.name + " <" + who.email + ">" + when.data();
}

/// refs.c: copy_reflog_msg(): runs of white space become one blank, none at the ends.
std::string one_line(std::string_view message) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  std::string out;
  bool gap = false;
  for (const char c : message) {
    const bool space = kSpace.find(c) != std::string_view::npos;
    if (!space && gap && !out.empty()) out += ' ';
    if (!space) out += c;
    gap = space;
  }
  return out;
}

void unlink_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return;
  throw_errno("cannot remove", path.native());
}

/// refs/heads, refs/tags, ...: git keeps these directories though they be empty.
fs::path kept_directory(const fs::path& base, const std::string& name) {
  const std::size_t second = name.find('/', name.find('/') + 1);
  return base / name.substr(0, second);
}

/// packed-refs without the ref's line and the line with its peeled value; nullopt if it isn't
/// there.
std::optional<std::string> without_ref(const std::string& packed, const std::string& name) {
  std::string out;
  std::string_view rest = packed;
  bool removing = false;
  bool removed = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    if (line.empty()) throw Error(ErrorKind::failed, "cannot read packed-refs: unterminated line");
    rest.remove_prefix(line.size());
    constexpr std::size_t kNameAt = 2 * Oid::kSize + 1;
    const bool peeled = line.front() == '^';
    if (!peeled) {
      removing = line.front() != '#' && line.size() == kNameAt + name.size() + 1 &&
                 line.substr(kNameAt, name.size()) == name;
    }
    removed = removed || removing;
    if (!removing) out += line;
  }
  if (!removed) return std::nullopt;
  return out;
}

}  // namespace

std::string reflog_line(const Oid& before, const Oid& after, const Identity& who,
                        std::string_view message) {
  return before.hex() + " " + after.hex() + " " + signature(who) + "\t" + one_line(message) + "\n";
}

void RefFiles::create(const std::string& name, const Oid& target, const LogEntry& log) const {
  const std::string failure = "cannot create " + in_quotes(name);
  if (const std::optional<std::string> other = conflict_of(name)) {
    throw Error(ErrorKind::failed, failure + ": " + in_quotes(*other) + " exists");
  }
  LockFile lock(path_of(name), shared_, target.hex() + "\n");
  if (read(name)) throw Error(ErrorKind::failed, failure + ": it exists already");
  if (const std::optional<std::string> other = conflict_of(name)) {
    throw Error(ErrorKind::failed, failure + ": " + in_quotes(*other) + " exists");
  }
  const bool had_log = ::access(log_of(name).c_str(), F_OK) == 0;
  try {
    write(lock, name, Oid{}, target, log);
  } catch (const Error&) {
    if (!had_log) ::unlink(log_of(name).c_str());  // of a branch that there isn't
    throw;
  }
}

void RefFiles::move(const std::string& name, const Oid& expected, const Oid& target,
                    const LogEntry& log) const {
  LockFile lock(path_of(name), shared_, target.hex() + "\n");
  require_value(name, expected);
  write(lock, name, expected, target, log);
  // git leaves that to time; but a commit is to survive a power cut from now on.
  try {
    sync_directory(path_of(name).parent_path());
  } catch (const Error& error) {
    throw Error(ErrorKind::failed,
                in_quotes(name) + " is at " + target.hex() +
                    " now, but that may not outlast a power cut: " + error.message());
  }
}

void RefFiles::remove(const std::string& name, const Oid& expected) const {
  {
    const LockFile lock(path_of(name), shared_, {});
    require_value(name, expected);
    // Held to the end, though there be nothing to remove: `git pack-refs` must not pack the ref
    // meanwhile. Packed before loose: the ref never shows an older, packed value.
    const LockFile packed_lock(packed_refs(), shared_, {});
    remove_packed(name);
    unlink_if_there(log_of(name));
    unlink_if_there(path_of(name));
  }
  const fs::path& base = base_of(name);
  remove_empty_parents(path_of(name).parent_path(), kept_directory(base, name));
  remove_empty_parents(log_of(name).parent_path(), kept_directory(base / "logs", name));
}

void RefFiles::take_away_dead_locks(const std::string& name) const noexcept {
  take_away_dead_lock(path_of(name));
  take_away_dead_lock(packed_refs());
}

void RefFiles::require_value(const std::string& name, const Oid& expected) const {
  const std::optional<RefValue> value = read(name);
  if (value && value->target.empty() && value->oid == expected) return;
  std::string now = "is gone";
  if (value) now = "is at " + (value->target.empty() ? value->oid.hex() : in_quotes(value->target));
  throw Error(ErrorKind::refused, in_quotes(name) + " " + now + ", not at " + expected.hex() +
                                      " as expected: somebody else moved it");
}

void RefFiles::write(LockFile& lock, const std::string& name, const Oid& before, const Oid& after,
                     const LogEntry& log) const {
  // Git notes of HEAD alone what changes nothing (refs/files-backend.c: lock_ref_for_update).
  if (before != after) append_log(name, reflog_line(before, after, log.who, log.message));
  lock.commit();
}

bool RefFiles::starts_log(const std::string& name) const {
  if (logging_ != Logging::usual) return logging_ == Logging::always;
  // refs.c: should_autocreate_reflog().
  return name.starts_with("refs/heads/") || name.starts_with("refs/remotes/") ||
         name.starts_with("refs/notes/") || name == "HEAD";
}

void RefFiles::append_log(const std::string& name, const std::string& line) const {
  const fs::path path = log_of(name);
  int flags = O_WRONLY | O_APPEND | O_CLOEXEC;
  if (starts_log(name)) {
    shared_.make_directories(path.parent_path());
    flags |= O_CREAT;
  }
  UniqueFd fd = open_file(path, flags, 0666);
  if (!fd && errno == EISDIR && remove_empty_tree(path)) {
    fd = open_file(path, flags, 0666);
  }
  if (!fd) {
    const int err = errno;
    if (!starts_log(name) && (err == ENOENT || err == ENOTDIR || err == EISDIR)) return;
    throw Error::system(err, "cannot write reflog " + in_quotes(path.native()));
  }
  shared_.adjust(path);
  write_all(fd.get(), line, path.native());
}

/// The caller holds the lock on packed-refs, and goes on holding it.
void RefFiles::remove_packed(const std::string& name) const {
  const fs::path path = packed_refs();
  const std::optional<std::string> packed = read_file(path);
  if (!packed) return;
  const std::optional<std::string> shorter = without_ref(*packed, name);
  if (!shorter) return;
  // Not git's own name for it, packed-refs.new: git would fail for ever where we die here.
  Replacement replacement(path, ".wafers", 0666);
  replacement.write(*shorter, Replacement::Sync::yes);
  shared_.adjust(replacement.temporary());
  replacement.take_place();
}

}  // namespace wafers::git
