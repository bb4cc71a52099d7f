#include "git/index/index_file.h"

#include <algorithm>

#include "git/index/cached_tree.h"
#include "git/index/index_view.h"

namespace wafers::git {

std::optional<IndexFile> IndexFile::read(const std::filesystem::path& path, Checksum checksum) {
  const std::optional<IndexView> view = IndexView::open(path, checksum);
  if (!view) return std::nullopt;
  IndexFile index;
  index.mtime_seconds = view->written().seconds;
  index.mtime_nanoseconds = view->written().nanoseconds;
  index.has_split_index = view->has_split_index();
  index.has_sparse_dirs = view->has_sparse_dirs();
  index.entries.reserve(view->entries().size());
  for (const IndexRecord& record : view->entries()) index.entries.push_back(record.entry());
  const auto cached = CachedTree::parse(view->cached_tree());
  if (cached && cached->entry_count == index.entries.size()) index.cached_tree = cached->oid;
  return index;
}

const IndexEntry* IndexFile::find(std::string_view path) const {
  auto at = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const IndexEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  if (at == entries.end() || at->path != path || at->stage != 0) return nullptr;
  return &*at;
}

}  // namespace wafers::git
