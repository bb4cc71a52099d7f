#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "git/index/index_entry.h"
#include "git/objects/object.h"

namespace wafers::git {

/// One entry of an index as it lies in the file, decoded on demand: a check of a whole worktree
/// needs little of most of them. Points into its IndexView.
class IndexRecord {
 public:
  IndexRecord(const char* fixed, std::string_view path, std::uint32_t flags)
      : fixed_(fixed), path_(path), flags_(flags) {}

  std::string_view path() const noexcept { return path_; }  ///< a NUL follows
  FileMode mode() const;
  Oid oid() const;
  IndexStat stat() const;

  int stage() const noexcept;
  bool assume_valid() const noexcept;
  bool skip_worktree() const noexcept;
  bool intent_to_add() const noexcept;

  IndexEntry entry() const;

 private:
  const char* fixed_;  ///< the bytes before the name
  std::string_view path_;
  std::uint32_t flags_;  ///< the second word above the first
};

/// A Git index (gitformat-index(5), versions 2 to 4) in memory. Git's own (IndexChecksum::trusted)
/// is mapped: git replaces it by rename(2), so what is mapped stays as it was. Any other is copied.
/// One of more than 1 GiB is not read.
class IndexView {
 public:
  /// As IndexFile::read().
  static std::optional<IndexView> open(const std::filesystem::path& path, IndexChecksum checksum);
  /// An index without entries, as where there is no file yet.
  static IndexView empty();
  IndexView(IndexView&&) noexcept;
  IndexView& operator=(IndexView&&) noexcept;
  ~IndexView();

  std::span<const IndexRecord> entries() const noexcept;
  /// The entry with exactly this path and stage 0, or null.
  const IndexRecord* find(std::string_view path) const;

  const IndexTime& written() const noexcept;
  /// The extension TREE, undecoded; empty where there is none.
  std::string_view cached_tree() const noexcept;
  bool has_split_index() const noexcept;
  bool has_sparse_dirs() const noexcept;
  bool has_untracked_cache() const noexcept;
  bool has_fsmonitor() const noexcept;

 private:
  struct Content;
  explicit IndexView(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace wafers::git
