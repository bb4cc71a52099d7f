#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "git/lines/similarity.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// One path of a diff, or two of a rename or copy.
struct FilePair {
  struct Side {
    std::string path;
    FileMode mode = FileMode::absent;
    Oid oid;

    bool exists() const noexcept { return mode != FileMode::absent; }
  };
  Side before, after;  ///< with the same path unless `letter` is R or C
  char letter = 'M';   ///< as `git diff --name-status` has it: A, C, D, M, R or T
};

enum class RenameSearch { off, renames, copies };

struct RenameOptions {
  RenameSearch search = RenameSearch::renames;
  /// No search by content among more than limit * limit pairs; 0 for always.
  std::size_t limit = 1000;
};

/// diff.renames and diff.renameLimit, or `section`'s own where that has them.
RenameOptions rename_options(const Repository& repository, const std::string& section = "diff");

/// `changes`, as changed_paths() has them, with renames found: which file is taken for whose
/// successor, and in which order, is git's diffcore-rename.c. `kind_of` says whether git takes a
/// file for text; it is asked only of files that are compared by content.
std::vector<FilePair> find_renames(
    ObjectStore& objects, const std::vector<TreeChange>& changes, const RenameOptions& options,
    const std::function<Signature::Kind(const FilePair::Side&, const std::string& content)>&
        kind_of);

}  // namespace wafers::git
