#include "git/text/text_stats.h"

namespace wafers::git {
namespace {

bool is_unprintable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte == 0x7F) return true;
  return byte < 0x20 && std::string_view("\b\t\033\f").find(c) == std::string_view::npos;
}

}  // namespace

TextStats TextStats::of(std::string_view content) {
  constexpr char kEndOfFile = '\032';  // CP/M and DOS end a text with it
  TextStats stats;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (c == '\r' && i + 1 < content.size() && content[i + 1] == '\n') {
      ++stats.crlf;
      ++i;
    } else if (c == '\r') {
      ++stats.lone_cr;
    } else if (c == '\n') {
      ++stats.lone_lf;
    } else if (is_unprintable(c)) {
      ++stats.nonprintable;
      if (c == '\0') ++stats.nul;
    } else {
      ++stats.printable;
    }
  }
  if (content.ends_with(kEndOfFile)) --stats.nonprintable;
  return stats;
}

std::string without_carriage_returns(std::string text) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[kept++] = text[i];
  }
  text.resize(kept);
  return text;
}

bool TextStats::is_binary() const noexcept {
  constexpr std::size_t kPrintablePerOther = 128;
  return lone_cr > 0 || nul > 0 || printable / kPrintablePerOther < nonprintable;
}

}  // namespace wafers::git
