#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "git/text/ascii.h"
#include "git/text/quote.h"

namespace wafers::git {
namespace {

/// Takes the first line off `text`; its LF is neither in the result nor left behind.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view without_trailing_space(std::string_view line) {
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

/// Length of the character that `text` begins with; 0 where git takes its first byte for none:
/// besides what is malformed, the code points that are no characters (commit.c:
/// find_invalid_utf8).
std::size_t utf8_length(std::string_view text) {
  const auto [length, code] = first_code_point(text);
  const bool no_character = (code & 0xFFFEU) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
  return no_character ? 0 : length;
}

}  // namespace

std::optional<char> unused_comment_char(std::string_view message) {
  // builtin/commit.c: adjust_comment_line_char().
  std::string candidates = "#;@!$%^&|:";
  if (message.find('#') == std::string_view::npos) return '#';
  bool line_start = true;
  for (const char c : message) {
    if (line_start) std::erase(candidates, c);
    line_start = c == '\n' || c == '\r';
  }
  if (candidates.empty()) return std::nullopt;
  return candidates.front();
}

bool ensure_utf8(std::string& text) {
  std::string out;
  std::string_view rest = text;
  bool valid = true;
  while (!rest.empty()) {
    const std::size_t length = utf8_length(rest);
    if (length > 0) {
      out += rest.substr(0, length);
      rest.remove_prefix(length);
      continue;
    }
    valid = false;
    const auto byte = static_cast<unsigned char>(rest.front());
    out += static_cast<char>(0xC0U | byte >> 6U);
    out += static_cast<char>(0x80U | (byte & 0x3FU));
    rest.remove_prefix(1);
  }
  if (!valid) text = std::move(out);
  return valid;
}

std::string clean_message(std::string_view message, Cleanup cleanup, char comment_char) {
  if (cleanup == Cleanup::verbatim) return std::string(message);
  std::string out;
  bool blank_before = false;
  while (!message.empty()) {
    const std::string_view raw = take_line(message);
    if (cleanup == Cleanup::strip && !raw.empty() && raw.front() == comment_char) continue;
    const std::string_view line = without_trailing_space(raw);
    if (line.empty()) {
      blank_before = true;
      continue;
    }
    if (blank_before && !out.empty()) out += '\n';
    blank_before = false;
    out += line;
    out += '\n';
  }
  return out;
}

std::string subject_of(std::string_view message) {
  message = message.substr(0, message.find('\0'));
  std::string out;
  while (!message.empty()) {
    const std::string_view line = without_trailing_space(take_line(message));
    if (line.empty()) {
      if (out.empty()) continue;
      break;
    }
    if (!out.empty()) out += ' ';
    out += line;
  }
  return out;
}

}  // namespace wafers::git
