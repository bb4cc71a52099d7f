#pragma once

#include <git2.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/attributes_files.h"
#include "git/object_store.h"
#include "git/renames.h"

namespace wafers::git {

/// How many lines a file gets and loses, as `git diff --stat` counts them; none where it is binary.
struct LineCounts {
  std::size_t added = 0, removed = 0;
};

/// How many lines differ between two texts, where that needs no search: once the lines that they
/// share at the start and at the end are taken away, the rest has no line in common. Any diff
/// algorithm gives these counts then. Absent where the rest has common lines.
std::optional<LineCounts> count_without_search(std::string_view before, std::string_view after);

/// Counts the lines of a diff. Attributes are those of a checkout of the new tree. All throws
/// Error(failed).
class LineCounter {
 public:
  LineCounter(const Repository& repository, ObjectStore& objects, const Oid& new_tree,
              const std::vector<std::string>& paths);

  /// The sum over all pairs, on all cores, and without a search where none is needed.
  LineCounts count_all(const std::vector<FilePair>& pairs);
  /// diff.c: diff_filespec_is_binary().
  bool is_binary(const FilePair::Side& side, std::string_view content);

 private:
  /// What the attribute `diff` says of a file (gitattributes(5)).
  enum class TextRule { detect, text, binary };
  /// A pair of files that a worker can perhaps count by itself.
  struct Task {
    const FilePair* pair = nullptr;
    TextRule before{}, after{};
  };

  TextRule rule_of(const FilePair::Side& side);
  std::optional<LineCounts> count_alone(const Task& task) const;
  LineCounts count(const FilePair& pair);
  std::string content_of(const FilePair::Side& side);

  const Repository& repository_;
  DatabaseStore& store_;
  TreeAttributes attributes_;
  git_diff_options options_{};
};

}  // namespace wafers::git
