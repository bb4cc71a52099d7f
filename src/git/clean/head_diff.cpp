#include "git/clean/head_diff.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "git/index/cached_tree.h"

namespace wafers::git {
namespace {

using Records = std::span<const IndexRecord>;

/// One name in a directory of the index: a file's records, or all that is below a directory.
struct IndexChild {
  std::string_view name;
  Records records;
  bool is_directory = false;
};

/// In byte order of the names; all stages of a conflict are one child.
std::vector<IndexChild> children_of(Records records, std::size_t prefix_length) {
  std::vector<IndexChild> children;
  for (std::size_t i = 0; i < records.size();) {
    const std::string_view rest = records[i].path().substr(prefix_length);
    const std::size_t slash = rest.find('/');
    const bool directory = slash != std::string_view::npos;
    const std::string_view whole =
        records[i].path().substr(0, directory ? prefix_length + slash + 1 : std::string_view::npos);
    const auto tail = records.subspan(i);
    const auto end = std::ranges::partition_point(tail, [&](const IndexRecord& record) {
      return directory ? record.path().starts_with(whole) : record.path() == whole;
    });
    const auto count = static_cast<std::size_t>(end - tail.begin());
    children.push_back({rest.substr(0, slash), tail.first(count), directory});
    i += count;
  }
  std::ranges::stable_sort(children, {}, &IndexChild::name);
  return children;
}

class Comparison {
 public:
  explicit Comparison(ObjectStore& objects) : objects_(objects) {}

  void compare(const std::optional<Oid>& tree, Records records, const std::string& prefix,
               const CachedTree* cached) {
    const bool known = tree && cached != nullptr && cached->entry_count == records.size();
    if (known && cached->oid == *tree) return;
    std::vector<TreeEntry> recorded = tree ? objects_.read_tree(*tree) : std::vector<TreeEntry>();
    std::ranges::sort(recorded, {}, &TreeEntry::name);
    const std::vector<IndexChild> children = children_of(records, prefix.size());
    auto child = children.begin();
    auto entry = recorded.begin();
    while (child != children.end() || entry != recorded.end()) {
      const bool has_child =
          child != children.end() && (entry == recorded.end() || child->name <= entry->name);
      const bool has_entry =
          entry != recorded.end() && (child == children.end() || entry->name <= child->name);
      compare_name(has_entry ? &*entry : nullptr, has_child ? &*child : nullptr, prefix, cached);
      if (has_child) ++child;
      if (has_entry) ++entry;
    }
  }

  std::vector<StagedChange> take() { return std::move(changes_); }

 private:
  void compare_name(const TreeEntry* recorded, const IndexChild* child, const std::string& prefix,
                    const CachedTree* cached) {
    const bool was_tree = recorded != nullptr && recorded->mode == FileMode::tree;
    const bool is_tree = child != nullptr && child->is_directory;
    if (was_tree || is_tree) {
      const std::string name(recorded != nullptr ? recorded->name : std::string(child->name));
      compare(was_tree ? std::optional(recorded->oid) : std::nullopt,
              is_tree ? child->records : Records{}, prefix + name + "/",
              is_tree && cached != nullptr ? cached->find(name) : nullptr);
    }
    if (recorded != nullptr && !was_tree && (child == nullptr || is_tree)) {
      changes_.push_back({prefix + recorded->name, 'D'});
    }
    if (child != nullptr && !is_tree) {
      if (child->records.front().stage() != 0) return note_conflict(child->records);
      compare_record(was_tree ? nullptr : recorded, child->records.front());
    }
  }

  /// wt-status.c: wt_shortstatus_unmerged(): which of base, ours and theirs there are.
  void note_conflict(Records stages) {
    constexpr std::array<const char*, 8> kColumns{"  ", "DD", "AU", "UD", "UA", "DU", "AA", "UU"};
    unsigned mask = 0;
    for (const IndexRecord& record : stages) {
      if (record.stage() > 0) mask |= 1U << static_cast<unsigned>(record.stage() - 1);
    }
    const char* const columns = kColumns.at(mask & 7U);
    changes_.push_back({std::string(stages.front().path()), columns[0], columns[1]});
  }

  void compare_record(const TreeEntry* recorded, const IndexRecord& record) {
    std::string path(record.path());
    if (record.intent_to_add()) {
      changes_.push_back({std::move(path), ' ', 'A'});
    } else if (recorded == nullptr) {
      changes_.push_back({std::move(path), 'A'});
    } else if (recorded->mode != record.mode() || recorded->oid != record.oid()) {
      const auto is_file = [](FileMode mode) {
        return mode != FileMode::symlink && mode != FileMode::gitlink;
      };
      const bool both_files = is_file(recorded->mode) && is_file(record.mode());
      const bool same_type = both_files || recorded->mode == record.mode();
      changes_.push_back({std::move(path), same_type ? 'M' : 'T'});
    }
  }

  ObjectStore& objects_;
  std::vector<StagedChange> changes_;
};

}  // namespace

std::vector<StagedChange> compare_with_tree(ObjectStore& objects, const std::optional<Oid>& tree,
                                            const IndexView& index) {
  const std::optional<CachedTree> cached = CachedTree::parse(index.cached_tree());
  Comparison comparison(objects);
  comparison.compare(tree, index.entries(), "", cached ? &*cached : nullptr);
  return comparison.take();
}

}  // namespace wafers::git
