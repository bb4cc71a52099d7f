#include "git/text/quote.h"

#include <algorithm>
#include <array>

#include "git/text/ascii.h"

namespace wafers::git {
namespace {

bool needs_escape(char c, bool quote_high) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || c == '"' || c == '\\' || (quote_high && byte >= 0x80);
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kNamed = "\a\b\t\n\v\f\r\"\\";
  constexpr std::string_view kLetters = "abtnvfr\"\\";
  out += '\\';
  if (const std::size_t at = kNamed.find(c); at != std::string_view::npos) {
    out += kLetters[at];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  for (const unsigned shift : {6U, 3U, 0U}) {
    out += static_cast<char>('0' + ((byte >> shift) & 7U));
  }
}

/// Bytes that ident.c takes off both ends of a name or email.
bool is_crud(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || std::string_view(".,:;<>\"\\'").find(c) != std::string_view::npos;
}

}  // namespace

std::string quote_path(std::string_view path, bool quote_high) {
  const auto needs = [quote_high](char c) { return needs_escape(c, quote_high); };
  if (std::none_of(path.begin(), path.end(), needs)) return std::string(path);
  std::string out = "\"";
  for (const char c : path) {
    if (needs(c)) {
      append_escaped(out, c);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quote_status_path(std::string_view path, bool quote_high) {
  std::string out = quote_path(path, quote_high);
  const bool is_quoted = !out.empty() && out.front() == '"';
  if (is_quoted || path.find(' ') == std::string_view::npos) return out;
  return '"' + out + '"';
}

std::string clean_identity_part(std::string_view part) {
  while (!part.empty() && is_crud(part.front())) part.remove_prefix(1);
  while (!part.empty() && is_crud(part.back())) part.remove_suffix(1);
  std::string out(part);
  std::erase_if(out, [](char c) { return c == '\n' || c == '<' || c == '>'; });
  return out;
}

std::optional<Identity> parse_author(std::string_view text) {
  const std::size_t open = text.find('<');
  if (open == std::string_view::npos) return std::nullopt;
  const std::size_t close = text.find('>', open);
  if (close == std::string_view::npos) return std::nullopt;
  Identity author;
  author.name = clean_identity_part(text.substr(0, open));
  author.email = clean_identity_part(text.substr(open + 1, close - open - 1));
  if (author.name.empty()) return std::nullopt;
  return author;
}

}  // namespace wafers::git
