#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "git/diff.h"

namespace wafers::git {
namespace {

/// Walks two trees side by side.
class TreeComparison {
 public:
  explicit TreeComparison(ObjectStore& objects) : objects_(objects) {}

  void compare(const std::string& prefix, const Oid& old_tree, const Oid& new_tree) {
    const std::vector<TreeEntry> before = read(old_tree);
    const std::vector<TreeEntry> after = read(new_tree);
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < before.size() || j < after.size()) {
      const TreeEntry* old_entry = i < before.size() ? &before[i] : nullptr;
      const TreeEntry* new_entry = j < after.size() ? &after[j] : nullptr;
      // A file and a directory of one name have different places, as they have in the index.
      if (old_entry != nullptr && new_entry != nullptr) {
        if (tree_order_less(*old_entry, *new_entry)) {
          new_entry = nullptr;
        } else if (tree_order_less(*new_entry, *old_entry)) {
          old_entry = nullptr;
        }
      }
      if (old_entry != nullptr) ++i;
      if (new_entry != nullptr) ++j;
      add(prefix, old_entry, new_entry);
    }
  }

  std::vector<TreeChange> take() { return std::move(changes_); }

 private:
  std::vector<TreeEntry> read(const Oid& tree) {
    return tree.is_zero() ? std::vector<TreeEntry>() : objects_.read_tree(tree);
  }

  void add(const std::string& prefix, const TreeEntry* before, const TreeEntry* after) {
    const TreeEntry none;
    const TreeEntry& old_entry = before != nullptr ? *before : none;
    const TreeEntry& new_entry = after != nullptr ? *after : none;
    if (old_entry.oid == new_entry.oid && old_entry.mode == new_entry.mode) return;
    const std::string path = prefix + (before != nullptr ? old_entry.name : new_entry.name);
    if (old_entry.mode == FileMode::tree || new_entry.mode == FileMode::tree) {
      return compare(path + "/", old_entry.oid, new_entry.oid);
    }
    changes_.push_back({path, old_entry.mode, new_entry.mode, old_entry.oid, new_entry.oid});
  }

  ObjectStore& objects_;
  std::vector<TreeChange> changes_;
};

}  // namespace

std::vector<TreeChange> changed_paths(ObjectStore& objects, const Oid& old_tree,
                                      const Oid& new_tree) {
  TreeComparison comparison(objects);
  if (old_tree != new_tree) comparison.compare("", old_tree, new_tree);
  return comparison.take();
}

}  // namespace wafers::git
