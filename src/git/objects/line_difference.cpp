#include "git/objects/line_difference.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace wafers::git {
namespace {

/// The next line of `text` with its end: "a" and "a\n" are two lines.
std::string_view first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::size_t lines_in(std::string_view text) {
  const auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (!text.empty() && text.back() != '\n' ? 1 : 0);
}

/// Takes whole lines away from both, first those that are common at the start.
void take_common_lines_away(std::string_view& before, std::string_view& after) {
  const auto shorter = std::min(before.size(), after.size());
  const auto differ = std::mismatch(
      before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shorter), after.begin());
  auto same = static_cast<std::size_t>(differ.first - before.begin());
  if (same < before.size() || same < after.size()) {
    const std::size_t end = before.substr(0, same).rfind('\n');
    same = end == std::string_view::npos ? 0 : end + 1;
  }
  before.remove_prefix(same);
  after.remove_prefix(same);

  const auto last = std::mismatch(before.rbegin(), before.rend(), after.rbegin(), after.rend());
  std::string_view tail =
      before.substr(before.size() - static_cast<std::size_t>(last.first - before.rbegin()));
  // Where the tail begins inside of a line, that line differs.
  const auto begins_line = [&](std::string_view text) {
    return tail.size() == text.size() || text[text.size() - tail.size() - 1] == '\n';
  };
  if (!begins_line(before) || !begins_line(after)) tail.remove_prefix(first_line(tail).size());
  before.remove_suffix(tail.size());
  after.remove_suffix(tail.size());
}

bool have_common_line(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  std::unordered_set<std::string_view> lines;
  for (; !a.empty(); a.remove_prefix(first_line(a).size())) lines.insert(first_line(a));
  for (; !b.empty(); b.remove_prefix(first_line(b).size())) {
    if (lines.contains(first_line(b))) return true;
  }
  return false;
}

}  // namespace

bool looks_binary(std::string_view content) {
  constexpr std::size_t kLookedAt = 8000;
  return content.substr(0, kLookedAt).find('\0') != std::string_view::npos;
}

std::optional<LineCounts> count_without_search(std::string_view before, std::string_view after) {
  take_common_lines_away(before, after);
  if (!before.empty() && !after.empty() && have_common_line(before, after)) return std::nullopt;
  return LineCounts{.added = lines_in(after), .removed = lines_in(before)};
}

LineDifference line_difference(std::string_view before, std::string_view after) {
  return {.before_looks_binary = looks_binary(before),
          .after_looks_binary = looks_binary(after),
          .lines = count_without_search(before, after)};
}

}  // namespace wafers::git
