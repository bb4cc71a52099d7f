#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "git/diff_session.h"
#include "git/display_width.h"
#include "git/format.h"
#include "git/library.h"

namespace wafers::git {
namespace {

constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kReset = "\033[m";

struct StatLine {
  std::string name;
  LineCounts counts;
  std::size_t changes() const { return counts.added + counts.removed; }
};

/// diff.c: pprint_rename(): "dir/{old => new}/name".
std::string renamed(std::string_view from, std::string_view to, bool quote_high) {
  const std::string quoted_from = quote_path(from, quote_high);
  const std::string quoted_to = quote_path(to, quote_high);
  if (quoted_from != from || quoted_to != to) return quoted_from + " => " + quoted_to;
  std::size_t prefix = 0;
  for (std::size_t i = 0; i < std::min(from.size(), to.size()) && from[i] == to[i]; ++i) {
    if (from[i] == '/') prefix = i + 1;
  }
  // The common end may share one slash with the common start: "a/b/c => a/c" is "a/{b => }/c".
  const std::size_t adjust = prefix > 0 ? 1 : 0;
  std::size_t suffix = 0;
  for (std::size_t i = 1; i + prefix <= from.size() + adjust && i + prefix <= to.size() + adjust &&
                          from[from.size() - i] == to[to.size() - i];
       ++i) {
    if (from[from.size() - i] == '/') suffix = i;
  }
  const auto middle = [&](std::string_view path) {
    return prefix + suffix >= path.size()
               ? std::string()
               : std::string(path.substr(prefix, path.size() - prefix - suffix));
  };
  const std::string change = middle(from) + " => " + middle(to);
  if (prefix + suffix == 0) return change;
  return std::string(from.substr(0, prefix)) + "{" + change + "}" +
         std::string(from.substr(from.size() - suffix));
}

/// The columns of the table (diff.c: show_stats()).
struct Layout {
  std::size_t name = 0, number = 0, graph = 0;
  std::size_t max_change = 0;
};

Layout lay_out(const std::vector<StatLine>& lines, std::size_t width) {
  Layout layout;
  std::size_t longest_name = 0;
  std::size_t binary_width = 0;
  const auto digits = [](std::size_t number) { return std::to_string(number).size(); };
  for (const StatLine& line : lines) {
    longest_name = std::max(longest_name, display_width(line.name));
    if (line.counts.binary) {
      binary_width =
          std::max(binary_width, 14 + digits(line.counts.added) + digits(line.counts.removed));
      layout.number = 3;  // "Bin"
    } else {
      layout.max_change = std::max(layout.max_change, line.changes());
    }
  }
  layout.number = std::max(layout.number, digits(layout.max_change));
  width = std::max(width, 16 + 6 + layout.number);
  layout.graph = layout.max_change + 4 > binary_width ? layout.max_change : binary_width - 4;
  layout.name = longest_name;
  if (layout.name + layout.number + 6 + layout.graph > width) {
    const std::size_t share = width * 3 / 8;
    const std::size_t most = share > layout.number + 6 ? share - layout.number - 6 : 0;
    if (layout.graph > most) layout.graph = std::max<std::size_t>(most, 6);
    const std::size_t room = width - layout.number - 6 - layout.graph;
    if (layout.name > room) {
      layout.name = room;
    } else {
      layout.graph = width - layout.number - 6 - layout.name;
    }
  }
  return layout;
}

/// " name | " with the name cut at the front, at a slash, where it is too long. (Up to 2.43 git
/// takes off as many bytes as there are columns too many, and so may cut a character.)
std::string name_column(std::string_view name, const Layout& layout) {
  std::string prefix;
  std::size_t room = layout.name;
  if (display_width(name) > layout.name) {
    prefix = "...";
    room = room > 3 ? room - 3 : 0;
    while (display_width(name) > room) {
      name.remove_prefix(character_size(name));
    }
    const std::size_t slash = name.find('/');
    if (slash != std::string_view::npos) name.remove_prefix(slash);
  }
  const std::size_t used = display_width(name);
  return " " + prefix + std::string(name) + std::string(room > used ? room - used : 0, ' ') + " | ";
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string coloured(const std::string& text, std::string_view colour, bool on) {
  if (!on || text.empty()) return text;
  return std::string(colour) + text + std::string(kReset);
}

std::string graph(const StatLine& line, const Layout& layout, bool colour) {
  const auto scaled = [&](std::size_t count) {
    return count == 0 ? 0 : 1 + count * (layout.graph - 1) / layout.max_change;
  };
  std::size_t plus = line.counts.added;
  std::size_t minus = line.counts.removed;
  if (layout.graph <= layout.max_change) {
    std::size_t total = scaled(plus + minus);
    if (total < 2 && plus > 0 && minus > 0) total = 2;
    if (plus < minus) {
      plus = scaled(plus);
      minus = total - plus;
    } else {
      minus = scaled(minus);
      plus = total - minus;
    }
  }
  return coloured(std::string(plus, '+'), kGreen, colour) +
         coloured(std::string(minus, '-'), kRed, colour);
}

std::string row(const StatLine& line, const Layout& layout, bool colour) {
  std::string text = name_column(line.name, layout);
  if (!line.counts.binary) {
    text += right_aligned(std::to_string(line.changes()), layout.number);
    if (line.changes() > 0) text += " " + graph(line, layout, colour);
    return text + "\n";
  }
  text += right_aligned("Bin", layout.number);
  if (line.changes() == 0) return text + "\n";
  return text + " " + coloured(std::to_string(line.counts.removed), kRed, colour) + " -> " +
         coloured(std::to_string(line.counts.added), kGreen, colour) + " bytes\n";
}

}  // namespace

LineCounts count_lines(DiffSession& session, std::size_t at) {
  const git_diff_delta& delta = session.delta(at);
  LineCounts counts;
  const bool same = git_oid_equal(&delta.old_file.id, &delta.new_file.id) != 0;
  const DiffText text = delta.status == GIT_DELTA_TYPECHANGE
                            ? session.text_of_sides(at, DiffSession::Sides::both)
                            : session.text(at);
  git_patch* const patch = text.patch.get();
  counts.binary = (git_patch_get_delta(patch)->flags & GIT_DIFF_FLAG_BINARY) != 0;
  if (same) return counts;
  if (counts.binary) {
    counts.added = session.size_of(delta.new_file);
    counts.removed = session.size_of(delta.old_file);
  } else {
    check(git_patch_line_stats(nullptr, &counts.added, &counts.removed, patch),
          "cannot count lines");
  }
  return counts;
}

DiffCounts print_stat(DiffSession& session, const DiffOptions& options, bool quote_high,
                      const std::function<void(std::string_view)>& out) {
  std::vector<StatLine> lines;
  DiffCounts totals;
  totals.files = session.size();
  for (std::size_t i = 0; i < session.size(); ++i) {
    const git_diff_delta& delta = session.delta(i);
    const bool two_names = delta.status == GIT_DELTA_RENAMED || delta.status == GIT_DELTA_COPIED;
    StatLine& line = lines.emplace_back();
    line.name = two_names ? renamed(delta.old_file.path, delta.new_file.path, quote_high)
                          : quote_path(delta.new_file.path, quote_high);
    line.counts = count_lines(session, i);
    if (line.counts.binary) continue;
    totals.insertions += line.counts.added;
    totals.deletions += line.counts.removed;
  }
  if (lines.empty()) return totals;
  const Layout layout = lay_out(lines, static_cast<std::size_t>(std::max(options.stat_width, 1)));
  for (const StatLine& line : lines) out(row(line, layout, options.colour));
  out(totals.summary() + "\n");
  return totals;
}

}  // namespace wafers::git
