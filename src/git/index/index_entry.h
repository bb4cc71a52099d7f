#pragma once

#include <cstdint>
#include <string>

#include "git/objects/object.h"

namespace wafers::git {

/// The stat data that git keeps for an entry, truncated to 32 bits as in the file.
struct IndexStat {
  std::uint32_t ctime_seconds = 0, ctime_nanoseconds = 0;
  std::uint32_t mtime_seconds = 0, mtime_nanoseconds = 0;
  std::uint32_t dev = 0, ino = 0, uid = 0, gid = 0, size = 0;

  bool operator==(const IndexStat&) const = default;
};

/// When an index was written: an entry whose mtime is not older is racy, and its stat data proves
/// nothing (git's racy-git.txt).
struct IndexTime {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
};

struct IndexEntry {
  std::string path;  ///< from the root; a sparse directory ends in '/'
  FileMode mode = FileMode::absent;
  Oid oid;
  IndexStat stat;
  int stage = 0;
  bool assume_valid = false;
  bool skip_worktree = false;
  bool intent_to_add = false;
};

/// git itself trusts an index' checksum: it takes as long as all the rest of reading it.
enum class IndexChecksum { verified, trusted };

}  // namespace wafers::git
