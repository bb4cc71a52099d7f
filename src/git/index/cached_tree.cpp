#include "git/index/cached_tree.h"

#include <algorithm>

#include "git/index/index_format.h"
#include "git/objects/byte_reader.h"

namespace wafers::git {
namespace {

/// One record and those of its subtrees: name, NUL, entry count (-1: invalid), blank, number of
/// subtrees, LF, and the object name where it is valid.
void take_tree(ByteReader& reader, CachedTree& tree, int depth) {
  ByteReader::require(depth <= kIndexDeepest);
  tree.name = reader.until('\0');
  const long entries = reader.decimal(' ');
  const long subtrees = reader.decimal('\n');
  if (entries >= 0) {
    tree.entry_count = static_cast<std::size_t>(entries);
    tree.oid = reader.oid();
  }
  for (long i = 0; i < subtrees; ++i) take_tree(reader, tree.subtrees.emplace_back(), depth + 1);
}

}  // namespace

std::optional<CachedTree> CachedTree::parse(std::string_view content) {
  try {
    ByteReader reader(content);
    CachedTree root;
    take_tree(reader, root, 0);
    if (root.name.empty()) return root;
  } catch (const Malformed&) {  // NOLINT(bugprone-empty-catch): then there is none
  }
  return std::nullopt;
}

const CachedTree* CachedTree::find(std::string_view subtree) const {
  const auto found = std::ranges::find(subtrees, subtree, &CachedTree::name);
  return found == subtrees.end() ? nullptr : &*found;
}

}  // namespace wafers::git
