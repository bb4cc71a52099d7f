// An index: a wafer's private one, or that of a repository in the view.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "git/index/cached_tree.h"
#include "git/index/index_file.h"
#include "git/index/index_view.h"
#include "target.h"

namespace {

using wafers::fuzz::MemoryFile;
using wafers::fuzz::require;
using wafers::git::IndexEntry;
using wafers::git::IndexFile;
using wafers::git::IndexView;

std::optional<IndexFile> read(const std::string& path, IndexFile::Checksum checksum) {
  try {
    return IndexFile::read(path, checksum);
  } catch (const wafers::Error&) {
    return std::nullopt;
  }
}

/// The file with a checksum of zeros, which means "not computed": a fuzzer guesses no SHA-1.
std::string without_checksum(std::string_view file) {
  constexpr std::size_t kChecksum = 20;
  std::string copy(file);
  if (copy.size() >= kChecksum) copy.replace(copy.size() - kChecksum, kChecksum, kChecksum, '\0');
  return copy;
}

bool equal(const IndexEntry& a, const IndexEntry& b) {
  // The entry of a directory always gets the flag when it is written.
  const bool skip = a.skip_worktree || a.mode == wafers::git::FileMode::tree;
  return a.path == b.path && a.mode == b.mode && a.oid == b.oid && a.stat == b.stat &&
         a.stage == b.stage && a.assume_valid == b.assume_valid && skip == b.skip_worktree &&
         a.intent_to_add == b.intent_to_add;
}

void check_entries(const IndexFile& index) {
  const IndexEntry* previous = nullptr;
  for (const IndexEntry& entry : index.entries) {
    require(entry.stage >= 0 && entry.stage <= 3, "a stage is one");
    require(entry.path.find('\0') == std::string::npos, "a path has no NUL");
    if (index.has_split_index) continue;
    require(!entry.path.empty(), "a path is there");
    require(previous == nullptr || previous->path < entry.path ||
                (previous->path == entry.path && previous->stage < entry.stage),
            "entries are in order");
    const bool merged = entry.stage == 0;
    require(!merged || index.find(entry.path) == &entry, "an entry is found");
    previous = &entry;
  }
}

void check_round_trip(const IndexFile& index) {
  if (index.has_split_index) return;
  static const std::string path = wafers::fuzz::scratch_directory() / "index";
  index.write(path);
  const auto again = read(path, IndexFile::Checksum::verified);
  require(again.has_value(), "what is written can be read");
  require(std::ranges::equal(index.entries, again->entries, equal), "entries are the same again");
  require(index.cached_tree == again->cached_tree, "the cached tree is the same again");
}

/// Sizes of all that points into the file: a sanitizer doesn't see the end of what is mapped.
std::size_t taken_of(const IndexView& view) {
  constexpr std::size_t kSmallestEntry = 62;
  return view.entries().size() * kSmallestEntry + view.cached_tree().size();
}

/// Both readings are of the same bytes, whether mapped or copied.
void check_view(const std::string& path, std::size_t size, const IndexFile& index) {
  const auto view = IndexView::open(path, wafers::git::IndexChecksum::trusted);
  require(view && view->entries().size() == index.entries.size(), "a mapped index is the same");
  require(taken_of(*view) < size, "nothing is taken from behind the end");
  require(view->has_split_index() == index.has_split_index, "it has the same extensions");
  for (const auto& record : view->entries()) {
    require(record.path().data()[record.path().size()] == '\0', "a NUL follows a path");
  }
  if (const auto tree = wafers::git::CachedTree::parse(view->cached_tree())) {
    for (const auto& subtree : tree->subtrees) {
      require(tree->find(subtree.name) != nullptr, "a subtree is found");
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = wafers::fuzz::as_text(data, size);
  read(MemoryFile(input).path(), IndexFile::Checksum::verified);
  const MemoryFile file(without_checksum(input));
  const auto index = read(file.path(), IndexFile::Checksum::verified);
  if (!index) return 0;
  check_entries(*index);
  check_view(file.path(), size, *index);
  check_round_trip(*index);
  return 0;
}
