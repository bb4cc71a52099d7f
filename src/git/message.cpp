#include "git/ascii.h"
#include "git/format.h"

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

}  // namespace

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
