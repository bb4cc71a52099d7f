#include "git/cached_tree.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace wafers::git {
namespace {

/// As deep as a path can be.
constexpr int kDeepest = 2048;

/// Takes a decimal number and the byte `end` behind it off `content`.
bool take_number(std::string_view& content, long& number, char end) {
  const auto [last, error] =
      std::from_chars(content.data(), content.data() + content.size(), number);
  const auto length = static_cast<std::size_t>(last - content.data());
  if (error != std::errc() || length >= content.size() || *last != end) return false;
  content.remove_prefix(length + 1);
  return true;
}

/// One record and those of its subtrees: name, NUL, entry count (-1: invalid), blank, number of
/// subtrees, LF, and the object name where it is valid.
bool take_tree(std::string_view& content, CachedTree& tree, int depth) {
  const std::size_t name_end = content.find('\0');
  if (name_end == std::string_view::npos || depth > kDeepest) return false;
  tree.name = content.substr(0, name_end);
  content.remove_prefix(name_end + 1);
  long entries = 0;
  long subtrees = 0;
  if (!take_number(content, entries, ' ') || !take_number(content, subtrees, '\n')) return false;
  if (entries >= 0) {
    if (content.size() < Oid::kSize) return false;
    tree.entry_count = static_cast<std::size_t>(entries);
    std::memcpy(tree.oid.bytes.data(), content.data(), Oid::kSize);
    content.remove_prefix(Oid::kSize);
  }
  for (long i = 0; i < subtrees; ++i) {
    if (!take_tree(content, tree.subtrees.emplace_back(), depth + 1)) return false;
  }
  return true;
}

}  // namespace

std::optional<CachedTree> CachedTree::parse(std::string_view content) {
  CachedTree root;
  if (!take_tree(content, root, 0) || !root.name.empty()) return std::nullopt;
  return root;
}

const CachedTree* CachedTree::find(std::string_view subtree) const {
  const auto found = std::ranges::find(subtrees, subtree, &CachedTree::name);
  return found == subtrees.end() ? nullptr : &*found;
}

}  // namespace wafers::git
