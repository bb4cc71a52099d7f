#include "git/diff/diff.h"

#include <string>
#include <utility>

#include "git/lines/line_counts.h"
#include "git/lines/renames.h"

namespace wafers::git {
namespace {

std::vector<std::string> paths_of(const std::vector<TreeChange>& changes) {
  std::vector<std::string> paths;
  paths.reserve(changes.size());
  for (const TreeChange& change : changes) paths.push_back(change.path);
  return paths;
}

/// Files of both sides are read one by one later.
std::vector<TreeChange> fetched(ObjectStore& objects, std::vector<TreeChange> changes) {
  std::vector<Oid> blobs;
  for (const TreeChange& change : changes) {
    if (is_blob(change.old_mode)) blobs.push_back(change.old_oid);
    if (is_blob(change.new_mode)) blobs.push_back(change.new_oid);
  }
  objects.prefetch(blobs);
  return changes;
}

/// The pairs of a diff, and who counts their lines.
struct Comparison {
  Comparison(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
             const Oid& new_tree, const RenameOptions& options)
      : Comparison(repository, objects,
                   fetched(objects, changed_paths(objects, old_tree, new_tree)), new_tree,
                   options) {}
  Comparison(const Repository& repository, ObjectStore& objects,
             const std::vector<TreeChange>& changes, const Oid& new_tree,
             const RenameOptions& options)
      : counter(repository, objects, new_tree, paths_of(changes)),
        pairs(find_renames(objects, changes, options,
                           [this](const FilePair::Side& side, const std::string& content) {
                             return counter.is_binary(side, content) ? Signature::Kind::binary
                                                                     : Signature::Kind::text;
                           })) {}

  LineCounter counter;
  std::vector<FilePair> pairs;
};

}  // namespace

std::vector<NamedChange> named_changes(const Repository& repository, ObjectStore& objects,
                                       const Oid& old_tree, const Oid& new_tree) {
  Comparison comparison(repository, objects, old_tree, new_tree,
                        rename_options(repository, "status"));
  std::vector<NamedChange> changes;
  for (FilePair& pair : comparison.pairs) {
    const bool two_names = pair.letter == 'R' || pair.letter == 'C';
    changes.push_back({.letter = pair.letter,
                       .path = std::move(pair.after.path),
                       .old_path = two_names ? std::move(pair.before.path) : std::string()});
  }
  return changes;
}

DiffCounts count_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                      const Oid& new_tree) {
  RenameOptions options = rename_options(repository);
  options.search = RenameSearch::renames;
  Comparison comparison(repository, objects, old_tree, new_tree, options);
  const LineCounts lines = comparison.counter.count_all(comparison.pairs);
  return {comparison.pairs.size(), lines.added, lines.removed};
}

std::string DiffCounts::summary() const {
  if (files == 0) return {};
  const auto plural = [](std::size_t count) { return count == 1 ? "" : "s"; };
  std::string text = " " + std::to_string(files) + " file" + plural(files) + " changed";
  // diff.c: print_stat_summary_inserts_deletes(): with neither, both are told.
  if (insertions > 0 || deletions == 0) {
    text += ", " + std::to_string(insertions) + " insertion" + plural(insertions) + "(+)";
  }
  if (deletions > 0 || insertions == 0) {
    text += ", " + std::to_string(deletions) + " deletion" + plural(deletions) + "(-)";
  }
  return text;
}

}  // namespace wafers::git
