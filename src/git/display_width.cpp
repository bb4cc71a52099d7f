#include "git/display_width.h"

#include <algorithm>
#include <array>
#include <optional>

namespace wafers::git {
namespace {

struct Range {
  char32_t first, last;
};

/// Unicode's general categories Mn, Me and Cf, as far as scripts in use have them.
constexpr std::array kNoWidth = {
    Range{0x300, 0x36F},     Range{0x483, 0x489},   Range{0x591, 0x5BD},   Range{0x5BF, 0x5BF},
    Range{0x5C1, 0x5C2},     Range{0x5C4, 0x5C5},   Range{0x5C7, 0x5C7},   Range{0x610, 0x61A},
    Range{0x64B, 0x65F},     Range{0x670, 0x670},   Range{0x6D6, 0x6DC},   Range{0x6DF, 0x6E4},
    Range{0x6E7, 0x6E8},     Range{0x6EA, 0x6ED},   Range{0x93A, 0x93A},   Range{0x93C, 0x93C},
    Range{0x941, 0x948},     Range{0x94D, 0x94D},   Range{0xE31, 0xE31},   Range{0xE34, 0xE3A},
    Range{0xE47, 0xE4E},     Range{0x1AB0, 0x1ACE}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F},
    Range{0x202A, 0x202E},   Range{0x2060, 0x2064}, Range{0x20D0, 0x20F0}, Range{0x302A, 0x302D},
    Range{0x3099, 0x309A},   Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF},
    Range{0xE0100, 0xE01EF},
};

/// Unicode's East Asian Width W and F.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},
    Range{0x23E9, 0x23EC},   Range{0x23F0, 0x23F0},   Range{0x23F3, 0x23F3},
    Range{0x25FD, 0x25FE},   Range{0x2614, 0x2615},   Range{0x2648, 0x2653},
    Range{0x267F, 0x267F},   Range{0x2693, 0x2693},   Range{0x26A1, 0x26A1},
    Range{0x26AA, 0x26AB},   Range{0x26BD, 0x26BE},   Range{0x26C4, 0x26C5},
    Range{0x26CE, 0x26CE},   Range{0x26D4, 0x26D4},   Range{0x26EA, 0x26EA},
    Range{0x26F2, 0x26F3},   Range{0x26F5, 0x26F5},   Range{0x26FA, 0x26FA},
    Range{0x26FD, 0x26FD},   Range{0x2705, 0x2705},   Range{0x270A, 0x270B},
    Range{0x2728, 0x2728},   Range{0x274C, 0x274C},   Range{0x274E, 0x274E},
    Range{0x2753, 0x2755},   Range{0x2757, 0x2757},   Range{0x2795, 0x2797},
    Range{0x27B0, 0x27B0},   Range{0x27BF, 0x27BF},   Range{0x2B1B, 0x2B1C},
    Range{0x2B50, 0x2B50},   Range{0x2B55, 0x2B55},   Range{0x2E80, 0x2E99},
    Range{0x2E9B, 0x2EF3},   Range{0x2F00, 0x2FD5},   Range{0x2FF0, 0x2FFB},
    Range{0x3000, 0x303E},   Range{0x3041, 0x3096},   Range{0x3099, 0x30FF},
    Range{0x3105, 0x312F},   Range{0x3131, 0x318E},   Range{0x3190, 0x31E3},
    Range{0x31F0, 0x321E},   Range{0x3220, 0x3247},   Range{0x3250, 0x4DBF},
    Range{0x4E00, 0xA48C},   Range{0xA490, 0xA4C6},   Range{0xA960, 0xA97C},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE10, 0xFE19},
    Range{0xFE30, 0xFE52},   Range{0xFE54, 0xFE66},   Range{0xFE68, 0xFE6B},
    Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x16FE0, 0x18CD5},
    Range{0x1B000, 0x1B2FB}, Range{0x1F004, 0x1F004}, Range{0x1F0CF, 0x1F0CF},
    Range{0x1F18E, 0x1F18E}, Range{0x1F191, 0x1F19A}, Range{0x1F200, 0x1F320},
    Range{0x1F32D, 0x1F335}, Range{0x1F337, 0x1F37C}, Range{0x1F37E, 0x1F393},
    Range{0x1F3A0, 0x1F3CA}, Range{0x1F3CF, 0x1F3D3}, Range{0x1F3E0, 0x1F3F0},
    Range{0x1F3F4, 0x1F3F4}, Range{0x1F3F8, 0x1F43E}, Range{0x1F440, 0x1F440},
    Range{0x1F442, 0x1F4FC}, Range{0x1F4FF, 0x1F53D}, Range{0x1F54B, 0x1F54E},
    Range{0x1F550, 0x1F567}, Range{0x1F57A, 0x1F57A}, Range{0x1F595, 0x1F596},
    Range{0x1F5A4, 0x1F5A4}, Range{0x1F5FB, 0x1F64F}, Range{0x1F680, 0x1F6C5},
    Range{0x1F6CC, 0x1F6CC}, Range{0x1F6D0, 0x1F6D2}, Range{0x1F6EB, 0x1F6EC},
    Range{0x1F6F4, 0x1F6FC}, Range{0x1F7E0, 0x1F7EB}, Range{0x1F90C, 0x1F93A},
    Range{0x1F93C, 0x1F945}, Range{0x1F947, 0x1F9FF}, Range{0x1FA70, 0x1FAF8},
    Range{0x20000, 0x2FFFD}, Range{0x30000, 0x3FFFD},
};

template <typename Ranges>
bool contains(const Ranges& ranges, char32_t character) {
  const auto found =
      std::lower_bound(ranges.begin(), ranges.end(), character,
                       [](const Range& range, char32_t wanted) { return range.last < wanted; });
  return found != ranges.end() && found->first <= character;
}

/// The character that `text` begins with; absent where that is no UTF-8.
std::optional<char32_t> first_character(std::string_view text, std::size_t& size) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  size = 1;
  if (byte(0) < 0x80) return byte(0);
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return std::nullopt;
  char32_t character = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    character = character << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (character < kLeast[length] || character > 0x10FFFF || surrogate) return std::nullopt;
  size = length;
  return character;
}

std::size_t columns_of(char32_t character) {
  const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
  if (control || contains(kNoWidth, character)) return 0;
  return contains(kWide, character) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size(); at += size) {
    const auto character = first_character(text.substr(at), size);
    if (!character) return text.size();
    width += columns_of(*character);
  }
  return width;
}

std::size_t character_size(std::string_view text) {
  std::size_t size = 0;
  if (!text.empty()) first_character(text, size);
  return size;
}

}  // namespace wafers::git
