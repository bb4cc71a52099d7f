#include "git/blank_at_eof.h"

#include <algorithm>
#include <charconv>

namespace wafers::git {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

std::size_t count_lines(std::string_view text) {
  const auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (text.empty() || text.ends_with('\n') ? 0 : 1);
}

/// Like git's, it doesn't count a line that is the only character of the text.
std::size_t count_trailing_blank(std::string_view text) {
  std::size_t count = 0;
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (text.size() > 1) {
    const std::size_t end = text.rfind('\n');
    if (!is_blank(text.substr(end + 1))) break;
    ++count;
    if (end == std::string_view::npos) break;
    text = text.substr(0, end);
  }
  return count;
}

/// The number behind `sign` in a hunk's header.
std::size_t start_behind(std::string_view header, char sign) {
  const std::size_t at = header.find(sign);
  std::size_t number = 0;
  if (at != std::string_view::npos) {
    std::from_chars(header.data() + at + 1, header.data() + header.size(), number);
  }
  return number;
}

}  // namespace

BlankAtEof::BlankAtEof(std::string_view before, std::string_view after) {
  const std::size_t blank_before = count_trailing_blank(before);
  const std::size_t blank_after = count_trailing_blank(after);
  if (blank_after <= blank_before) return;
  first_before_ = count_lines(before) - blank_before + 1;
  first_after_ = count_lines(after) - blank_after + 1;
}

void BlankAtEof::enter_hunk(std::string_view header) {
  line_before_ = start_behind(header, '-');
  line_after_ = start_behind(header, '+');
}

// As in git the numbers are those of the line behind: only so the first hunk of a new file, which
// begins at 0, comes out right.
void BlankAtEof::enter_line(char sign) {
  if (sign != '+') ++line_before_;
  if (sign != '-') ++line_after_;
}

bool BlankAtEof::is_new_blank(std::string_view line) const {
  return first_after_ != 0 && first_before_ <= line_before_ && first_after_ <= line_after_ &&
         is_blank(line);
}

}  // namespace wafers::git
