#include "git/lines/held_change.h"

#include <git2.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "git/objects/library.h"

namespace wafers::git {
namespace {

/// Lines [begin, end), counted from 0.
struct Lines {
  std::size_t begin = 0, end = 0;
  std::size_t count() const noexcept { return end - begin; }
};

/// One place in which two texts differ.
struct Edit {
  Lines before, after;
};

/// git counts from 1, and gives the line before where there is none.
Lines lines_of(int start, int count) {
  const auto first = static_cast<std::size_t>(count == 0 ? start : start - 1);
  return {first, first + static_cast<std::size_t>(count)};
}

std::vector<Edit> edits_between(std::string_view before, std::string_view after) {
  git_diff_options options;
  check(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), "cannot compare two texts");
  options.context_lines = 0;
  options.interhunk_lines = 0;
  options.flags = GIT_DIFF_FORCE_TEXT;
  std::vector<Edit> edits;
  const auto take = [](const git_diff_delta*, const git_diff_hunk* hunk, void* payload) {
    static_cast<std::vector<Edit>*>(payload)->push_back(
        {lines_of(hunk->old_start, hunk->old_lines), lines_of(hunk->new_start, hunk->new_lines)});
    return 0;
  };
  check(git_diff_buffers(before.data(), before.size(), nullptr, after.data(), after.size(), nullptr,
                         &options, nullptr, nullptr, take, nullptr, &edits),
        "cannot compare two texts");
  return edits;
}

/// Where each line of a text begins, and where the last one ends.
std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    starts.push_back(end + 1);
  }
  if (starts.back() != text.size()) starts.push_back(text.size());
  return starts;
}

std::string_view piece(std::string_view text, const std::vector<std::size_t>& starts,
                       const Lines& lines) {
  const std::size_t last = starts.size() - 1;
  const std::size_t begin = starts[std::min(lines.begin, last)];
  return text.substr(begin, starts[std::min(lines.end, last)] - begin);
}

std::size_t lines_kept(std::string_view before, std::size_t count, std::string_view after) {
  std::size_t gone = 0;
  for (const Edit& edit : edits_between(before, after)) gone += edit.before.count();
  return count - std::min(gone, count);
}

}  // namespace

bool holds_change(std::string_view from, std::string_view to, std::string_view content) {
  const std::vector<Edit> edits = edits_between(from, content);
  const std::vector<std::size_t> to_lines = line_starts(to);
  const std::vector<std::size_t> content_lines = line_starts(content);
  for (const Edit& change : edits_between(from, to)) {
    for (const Edit& edit : edits) {
      const Lines& place = change.before;
      const bool covers = edit.before.begin <= place.begin && edit.before.end >= place.end;
      const bool touches = edit.before.begin <= place.end && edit.before.end >= place.begin;
      if (change.after.count() == 0) {
        if (covers) return true;
        continue;
      }
      if (!touches) continue;
      const std::string_view added = piece(to, to_lines, change.after);
      const std::string_view there = piece(content, content_lines, edit.after);
      if (2 * lines_kept(added, change.after.count(), there) >= change.after.count()) return true;
    }
  }
  return false;
}

}  // namespace wafers::git
