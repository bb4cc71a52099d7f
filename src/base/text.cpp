#include "base/text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "base/utf8.h"

namespace wafers {
namespace {

/// Whether a terminal, or a reader's eye, takes this for something else than a character to show.
bool misleads(std::uint32_t code) {
  const auto between = [&](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  return between(0, 0x1F) || between(0x7F, 0x9F) || code == 0x61C || between(0x200E, 0x200F) ||
         between(0x2028, 0x202E) || between(0x2066, 0x2069);
}

void append_octal(std::string& out, char byte) {
  std::array<char, 5> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\%03o",
                static_cast<unsigned>(static_cast<std::uint8_t>(byte)));
  out += buffer.data();
}

/// `text` with each sequence that a terminal must not see handed to `escape(out, bytes, code)`.
template <typename Escape>
std::string escaped(std::string_view text, const Escape& escape) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [length, code] = first_code_point(text);
    const std::string_view bytes = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || misleads(code)) {
      escape(out, bytes, code);
    } else {
      out += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

void append_escape(std::string& out, std::string_view bytes) {
  if (bytes == "\n") {
    out += "\\n";
  } else if (bytes == "\t") {
    out += "\\t";
  } else {
    for (const char byte : bytes) append_octal(out, byte);
  }
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string with_quotes;
  for (const char c : text) {
    if (c == '\'' || c == '\\') with_quotes += '\\';
    with_quotes += c;
  }
  return "'" + printable(with_quotes) + "'";
}

std::string printable(std::string_view text) {
  return escaped(text, [](std::string& out, std::string_view bytes, std::uint32_t /*code*/) {
    append_escape(out, bytes);
  });
}

std::string indented(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < most; ++i) text += "\n  " + printable(lines[i]);
  if (lines.size() > most) text += "\n  ... and " + std::to_string(lines.size() - most) + " more";
  return text;
}

std::string printable_lines(std::string_view text) {
  return escaped(text, [](std::string& out, std::string_view bytes, std::uint32_t /*code*/) {
    if (bytes == "\n" || bytes == "\t") {
      out += bytes;
    } else {
      append_escape(out, bytes);
    }
  });
}

std::string printable_json(std::string_view document) {
  return escaped(document, [](std::string& out, std::string_view bytes, std::uint32_t code) {
    if (bytes.size() < 2) {
      out += bytes;  // the newlines between its lines: in its strings they are escaped already
      return;
    }
    std::array<char, 8> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "\\u%04x", code);
    out += buffer.data();
  });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = first_code_point(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kCut = "...";
  std::size_t characters = 0;
  std::size_t kept = 0;  // where a character begins that gives way to kCut if there are too many
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool continues = (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    if (continues) continue;
    if (characters == most - kCut.size()) kept = at;
    if (++characters > most) return std::string(text.substr(0, kept)) + std::string(kCut);
  }
  return std::string(text);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (true) {
    const std::size_t end = text.find(separator);
    pieces.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string joined(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) text += separator;
    text += pieces[i];
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string shell_quoted(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory.ends_with('/')) directory.remove_suffix(1);
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace wafers
