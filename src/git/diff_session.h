#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "git/diff.h"
#include "git/handle.h"
#include "git/object_store.h"

namespace wafers::git {

/// The lines in which two files differ.
struct DiffText {
  // libgit2 reads these as long as the patch lives. One that is absent is a file that doesn't
  // exist.
  std::unique_ptr<const std::string> before, after;
  PatchHandle patch;
};

/// What the attribute `diff` says of a file (gitattributes(5)).
enum class TextRule {
  detect,  ///< it is binary if it looks so
  text,    ///< it is text, whatever it looks like
  other,   ///< that it is binary, or the two sides of a delta don't agree
};

/// libgit2's diff of two trees, which may be in memory only, with renames found. Attributes are
/// those of the `.gitattributes` files in the new tree, and nothing of the worktree is looked at.
class DiffSession {
 public:
  DiffSession(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
              const Oid& new_tree, const std::vector<std::string>& paths);

  std::size_t size() const;
  const git_diff_delta& delta(std::size_t at) const;
  /// As libgit2 has it. A change of type has no text there: for it, see text_of_sides().
  DiffText text(std::size_t at) const;
  /// git prints a change of type as a removal and an addition, and counts lines in both at once.
  enum class Sides { before, after, both };
  DiffText text_of_sides(std::size_t at, Sides sides) const;
  std::uint64_t size_of(const git_diff_file& file);
  /// What git compares; a file that doesn't exist is empty.
  std::string content_of(const git_diff_file& file) const;
  TextRule text_rule(const git_diff_delta& change);

  /// For other threads, which may read both sides' blobs from odb() after make_readable().
  void make_readable(const git_diff_delta& change);
  git_odb* odb() const noexcept { return store_.odb(); }

 private:
  void set_up_attributes(const std::vector<std::string>& changed, const Oid& new_tree);
  void compare(const std::vector<std::string>& changed, const Oid& old_tree, const Oid& new_tree);
  void find_renames(const Repository& repository);
  void put_in_order();
  bool few_rename_candidates(const Repository& repository) const;
  TextRule text_rule(const char* path);
  TextRule rule_of_driver(const std::string& driver);

  const Repository& repository_;
  DatabaseStore& store_;
  RepositoryHandle handle_;
  IndexHandle attributes_;
  git_diff_options options_{};
  DiffHandle diff_;
  std::vector<std::size_t> order_;  ///< of the deltas of `diff_`
  std::map<std::string, TextRule, std::less<>> drivers_;
};

/// How many lines a delta adds and removes, as `git diff --stat` counts them.
struct LineCounts {
  std::size_t added = 0, removed = 0;
  bool binary = false;  ///< the counts are sizes in bytes then
};
LineCounts count_lines(DiffSession& session, std::size_t at);

/// Prints `git diff --stat`; returns the totals.
DiffCounts print_stat(DiffSession& session, const DiffOptions& options, bool quote_high,
                      const std::function<void(std::string_view)>& out);

/// Prints `git diff --binary`.
void print_patch(DiffSession& session, const Repository& repository, const DiffOptions& options,
                 const std::function<void(std::string_view)>& out);

}  // namespace wafers::git
