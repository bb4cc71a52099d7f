#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "git/diff/diff.h"

namespace wafers::git {
namespace {

/// Walks two trees side by side. Trees may be nested to any depth: what is
/// to be done is kept here, and not on the stack.
class TreeComparison {
 public:
  explicit TreeComparison(ObjectStore& objects) : objects_(objects) {}

  std::vector<TreeChange> compare(const Oid& old_tree, const Oid& new_tree) {
    enter("", old_tree, new_tree);
    while (!open_.empty()) {
      Level& level = open_.back();
      prefix_.resize(level.prefix_size);
      if (level.old_next == level.before.size() && level.new_next == level.after.size()) {
        open_.pop_back();
      } else {
        take_next(level);
      }
    }
    return std::move(changes_);
  }

 private:
  /// Two trees, and how far each has been looked at.
  struct Level {
    std::size_t prefix_size = 0;  ///< of prefix_
    std::vector<TreeEntry> before, after;
    std::size_t old_next = 0, new_next = 0;
  };

  void enter(std::string prefix, const Oid& old_tree, const Oid& new_tree) {
    prefix_ = std::move(prefix);
    open_.push_back({prefix_.size(), read(old_tree), read(new_tree)});
  }

  std::vector<TreeEntry> read(const Oid& tree) {
    return tree.is_zero() ? std::vector<TreeEntry>() : objects_.read_tree(tree);
  }

  void take_next(Level& level) {
    const bool has_old = level.old_next < level.before.size();
    const bool has_new = level.new_next < level.after.size();
    const TreeEntry* before = has_old ? &level.before[level.old_next] : nullptr;
    const TreeEntry* after = has_new ? &level.after[level.new_next] : nullptr;
    // A file and a directory of one name have different places, as they have in the index.
    if (before != nullptr && after != nullptr) {
      if (tree_order_less(*before, *after)) {
        after = nullptr;
      } else if (tree_order_less(*after, *before)) {
        before = nullptr;
      }
    }
    if (before != nullptr) ++level.old_next;
    if (after != nullptr) ++level.new_next;
    add(before, after);
  }

  /// May go on to another level: the arguments are not valid after that.
  void add(const TreeEntry* before, const TreeEntry* after) {
    const TreeEntry none;
    const TreeEntry& old_entry = before != nullptr ? *before : none;
    const TreeEntry& new_entry = after != nullptr ? *after : none;
    if (old_entry.oid == new_entry.oid && old_entry.mode == new_entry.mode) return;
    std::string path = prefix_ + (before != nullptr ? old_entry.name : new_entry.name);
    if (old_entry.mode == FileMode::tree || new_entry.mode == FileMode::tree) {
      return enter(path + "/", Oid(old_entry.oid), Oid(new_entry.oid));
    }
    changes_.push_back(
        {std::move(path), old_entry.mode, new_entry.mode, old_entry.oid, new_entry.oid});
  }

  ObjectStore& objects_;
  std::vector<Level> open_;
  std::string prefix_;  ///< of the innermost level, "" or "a/b/"
  std::vector<TreeChange> changes_;
};

}  // namespace

std::vector<TreeChange> changed_paths(ObjectStore& objects, const Oid& old_tree,
                                      const Oid& new_tree) {
  if (old_tree == new_tree) return {};
  return TreeComparison(objects).compare(old_tree, new_tree);
}

}  // namespace wafers::git
