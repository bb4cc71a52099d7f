#include "git/diff.h"

#include <array>
#include <cstdio>
#include <string>

#include "git/diff_session.h"
#include "git/format.h"
#include "git/line_counts.h"

namespace wafers::git {
namespace {

char status_letter(git_delta_t status) {
  switch (status) {
    case GIT_DELTA_ADDED:
      return 'A';
    case GIT_DELTA_DELETED:
      return 'D';
    case GIT_DELTA_RENAMED:
      return 'R';
    case GIT_DELTA_COPIED:
      return 'C';
    case GIT_DELTA_TYPECHANGE:
      return 'T';
    default:
      return 'M';
  }
}

bool has_two_names(const git_diff_delta& delta) {
  return delta.status == GIT_DELTA_RENAMED || delta.status == GIT_DELTA_COPIED;
}

/// One line of --name-status.
std::string status_line(const git_diff_delta& delta, bool quote_high) {
  std::string line(1, status_letter(delta.status));
  if (has_two_names(delta)) {
    std::array<char, 8> percent{};
    std::snprintf(percent.data(), percent.size(), "%03d", static_cast<int>(delta.similarity));
    line += percent.data();
    line += "\t" + quote_path(delta.old_file.path, quote_high);
  }
  return line + "\t" + quote_path(delta.new_file.path, quote_high) + "\n";
}

}  // namespace

std::size_t write_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                       const Oid& new_tree, const DiffOptions& options,
                       const std::function<void(std::string_view)>& out) {
  DiffSession session(repository, objects, old_tree, new_tree, options.paths);
  const bool quote_high = repository.config_bool("core.quotePath", true);
  if (options.format == DiffFormat::patch) print_patch(session, repository, options, out);
  if (options.format == DiffFormat::stat) print_stat(session, options, quote_high, out);
  for (std::size_t i = 0; i < session.size(); ++i) {
    const git_diff_delta& delta = session.delta(i);
    if (options.format == DiffFormat::name_status) out(status_line(delta, quote_high));
    if (options.format == DiffFormat::name_only) {
      out(quote_path(delta.new_file.path, quote_high) + "\n");
    }
  }
  return session.size();
}

std::vector<NamedChange> named_changes(const Repository& repository, ObjectStore& objects,
                                       const Oid& old_tree, const Oid& new_tree) {
  const DiffSession session(repository, objects, old_tree, new_tree, {});
  std::vector<NamedChange> changes;
  for (std::size_t i = 0; i < session.size(); ++i) {
    const git_diff_delta& delta = session.delta(i);
    changes.push_back({.letter = status_letter(delta.status),
                       .path = delta.new_file.path,
                       .old_path = has_two_names(delta) ? delta.old_file.path : ""});
  }
  return changes;
}

DiffCounts count_diff(const Repository& repository, ObjectStore& objects, const Oid& old_tree,
                      const Oid& new_tree) {
  DiffSession session(repository, objects, old_tree, new_tree, {});
  DiffCounts counts;
  counts.files = session.size();
  for (const LineCounts& lines : count_all_lines(session)) {
    if (lines.binary) continue;
    counts.insertions += lines.added;
    counts.deletions += lines.removed;
  }
  return counts;
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
