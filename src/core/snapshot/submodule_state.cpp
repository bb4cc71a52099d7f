#include "core/snapshot/submodule_state.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "git/index/index_file.h"
#include "git/text/ignore.h"
#include "git/worktree/worktree_stat.h"
#include "linux/merged_dir.h"

namespace wafers {
namespace {

constexpr std::size_t kLargestFile = std::size_t{100} << 20U;
constexpr const char* kIgnoreRules = ".gitignore";

using IgnoreRules = std::shared_ptr<const git::IgnoreScope>;

class Comparison {
 public:
  Comparison(const git::IndexFile& index, git::ObjectStore& objects, UntrackedContent untracked)
      : index_(index),
        objects_(objects),
        untracked_counts_(untracked == UntrackedContent::counts) {}

  bool modified(const SubmoduleDir& dir, const std::string& prefix, const IgnoreRules& rules) const;

 private:
  bool entry_modified(const SubmoduleDir& dir, const UpperEntry& entry, const std::string& path,
                      const IgnoreRules& rules) const;
  bool directory_modified(const SubmoduleDir& dir, const std::string& name, const std::string& path,
                          const IgnoreRules& rules) const;
  bool file_modified(const PlainDir& dir, const UpperEntry& entry,
                     const git::IndexEntry& recorded) const;
  bool something_deleted(const UpperListing& listing, const std::string& prefix) const;
  bool has_below(const std::string& prefix) const;

  const git::IndexFile& index_;
  git::ObjectStore& objects_;
  bool untracked_counts_;
};

std::string rules_in(const SubmoduleDir& dir) {
  const PlainDir* holder = &dir.upper.plain();
  if (!dir.upper.find(kIgnoreRules) && dir.lower) holder = dir.lower->holder_of(kIgnoreRules);
  return holder != nullptr ? read_small_file(*holder, kIgnoreRules, kLargestFile).value_or("") : "";
}

auto first_below(const git::IndexFile& index, const std::string& prefix) {
  return std::lower_bound(
      index.entries.begin(), index.entries.end(), prefix,
      [](const git::IndexEntry& entry, const std::string& wanted) { return entry.path < wanted; });
}

bool Comparison::has_below(const std::string& prefix) const {
  const auto first = first_below(index_, prefix);
  return first != index_.entries.end() && first->path.starts_with(prefix);
}

bool Comparison::modified(const SubmoduleDir& dir, const std::string& prefix,
                          const IgnoreRules& rules) const {
  const UpperListing listing = dir.upper.list();
  for (const UpperEntry& entry : listing.entries) {
    if (entry.name == ".git") continue;
    if (entry_modified(dir, entry, prefix + entry.name, rules)) return true;
  }
  return (listing.opaque || !dir.lower) && something_deleted(listing, prefix);
}

bool Comparison::entry_modified(const SubmoduleDir& dir, const UpperEntry& entry,
                                const std::string& path, const IgnoreRules& rules) const {
  const git::IndexEntry* recorded = index_.find(path);
  if (entry.type == UpperEntryType::directory) {
    if (recorded != nullptr) return recorded->mode != git::FileMode::gitlink;
    if (!has_below(path + "/") && rules->is_ignored(entry.name, true)) return false;
    return directory_modified(dir, entry.name, path, rules);
  }
  if (entry.type == UpperEntryType::whiteout) return recorded != nullptr || has_below(path + "/");
  if (recorded == nullptr) {
    return has_below(path + "/") || (untracked_counts_ && entry.type != UpperEntryType::special &&
                                     !rules->is_ignored(entry.name, false));
  }
  return entry.type == UpperEntryType::special ||
         file_modified(dir.upper.plain(), entry, *recorded);
}

bool Comparison::directory_modified(const SubmoduleDir& dir, const std::string& name,
                                    const std::string& path, const IgnoreRules& rules) const {
  if (dir.upper.path().size() >= PATH_MAX) return true;
  SubmoduleDir child{.upper = dir.upper.open_directory(name), .lower = std::nullopt};
  if (dir.lower && !child.upper.opaque()) child.lower = dir.lower->find_directory(name);
  return modified(child, path + "/", git::IgnoreScope::child(rules, name, rules_in(child)));
}

bool Comparison::file_modified(const PlainDir& dir, const UpperEntry& entry,
                               const git::IndexEntry& recorded) const {
  const bool link = entry.type == UpperEntryType::symlink;
  const bool executable = !link && (entry.stat.st_mode & S_IXUSR) != 0;
  if (link != (recorded.mode == git::FileMode::symlink)) return true;
  if (executable != (recorded.mode == git::FileMode::executable)) return true;
  // The view shows other device and inode numbers than the upper, so only these can be compared.
  const git::IndexStat now = git::index_stat_of(entry.stat);
  const bool same_stat = now.size == recorded.stat.size &&
                         now.mtime_seconds == recorded.stat.mtime_seconds &&
                         now.mtime_nanoseconds == recorded.stat.mtime_nanoseconds;
  const bool racy = entry.stat.st_mtim.tv_sec >= index_.mtime_seconds;  // as Debian's git
  if (same_stat && !racy) return false;
  const auto content = link ? std::optional(dir.read_link(entry.name))
                            : read_small_file(dir, entry.name, kLargestFile);
  return !content || objects_.hash_blob(*content) != recorded.oid;
}

/// Whether the index has files in a directory of which only the upper shows, and doesn't have them.
bool Comparison::something_deleted(const UpperListing& listing, const std::string& prefix) const {
  for (auto entry = first_below(index_, prefix);
       entry != index_.entries.end() && entry->path.starts_with(prefix); ++entry) {
    if (entry->skip_worktree) continue;
    const std::string name =
        entry->path.substr(prefix.size(), entry->path.find('/', prefix.size()) - prefix.size());
    const bool present = std::any_of(listing.entries.begin(), listing.entries.end(),
                                     [&](const UpperEntry& other) { return other.name == name; });
    if (!present) return true;
  }
  return false;
}

}  // namespace

bool is_submodule_modified(const SubmoduleDir& dir, const NestedRepoFinder::Contents& contents,
                           std::string_view excludes_file, git::ObjectStore& objects,
                           UntrackedContent untracked) {
  if (contents.index.has_split_index) return true;
  try {
    const auto rules = git::IgnoreScope::root(excludes_file, contents.info_exclude, rules_in(dir),
                                              contents.letters);
    return Comparison(contents.index, objects, untracked).modified(dir, "", rules);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace wafers
