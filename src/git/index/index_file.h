#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "git/index/index_entry.h"
#include "git/objects/object.h"

namespace wafers::git {

/// A Git index in memory: gitformat-index(5), versions 2 to 4, reading and writing (2 or 3).
/// Paths are in git's order. Entries of mode FileMode::tree stand for whole unchanged directories
/// (extension `sdir`): so a wafer's private index stays as small as what the agent touched.
struct IndexFile {
  std::vector<IndexEntry> entries;
  /// The file's own mtime when it was read: an entry whose mtime is not older is racy and its stat
  /// data proves nothing (git's racy-git.txt).
  std::int64_t mtime_seconds = 0;
  std::int64_t mtime_nanoseconds = 0;
  /// Root tree from the cache-tree extension, where it is valid for the whole index; written if it
  /// is there.
  std::optional<Oid> cached_tree;
  bool has_split_index = false;  ///< extension `link`: entries are incomplete
  bool has_sparse_dirs = false;  ///< extension `sdir`

  using Checksum = IndexChecksum;

  /// Reads `path`; nullopt where it doesn't exist. Throws Error(failed) where it is damaged: bad
  /// signature, version, lengths, order or checksum (a checksum of zero means "not computed",
  /// index.skipHash).
  static std::optional<IndexFile> read(const std::filesystem::path& path,
                                       Checksum checksum = Checksum::verified);

  /// Writes it to `path` by way of a temporary file in the same directory and rename(2). Not
  /// fsynced: what it holds can be computed again.
  void write(const std::filesystem::path& path) const;

  /// The entry with exactly this path and stage 0, or null.
  const IndexEntry* find(std::string_view path) const;
};

}  // namespace wafers::git
