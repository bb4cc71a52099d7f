#include "git/text/unicode.h"

#include <array>
#include <bit>
#include <cstddef>

#include "git/text/ascii.h"

namespace wafers::git {
namespace {

constexpr char32_t kByteOrderMark = 0xFEFF;

struct UnicodeForm {
  std::string_view name;  ///< without dashes, which don't count
  std::size_t unit = 1;   ///< bytes
  std::endian order = std::endian::native;
  bool marked = false;
};

constexpr std::array kUnicodeForms{
    UnicodeForm{"utf8"},
    UnicodeForm{"utf16", 2, std::endian::native, true},
    UnicodeForm{"utf16be", 2, std::endian::big},
    UnicodeForm{"utf16le", 2, std::endian::little},
    UnicodeForm{"utf32", 4, std::endian::native, true},
    UnicodeForm{"utf32be", 4, std::endian::big},
    UnicodeForm{"utf32le", 4, std::endian::little},
};

std::optional<UnicodeForm> unicode_form(std::string_view name) {
  std::string plain(name);
  std::erase(plain, '-');
  for (const UnicodeForm& form : kUnicodeForms) {
    if (equal_ignoring_case(plain, form.name)) return form;
  }
  return std::nullopt;
}

bool is_surrogate(char32_t value) { return value >= 0xD800 && value < 0xE000; }

// What is taken from the front of a text is valid as far as it goes, or nothing is.

std::optional<char32_t> take_unit(std::string_view& text, const UnicodeForm& form) {
  if (text.size() < form.unit) return std::nullopt;
  char32_t value = 0;
  for (std::size_t i = 0; i < form.unit; ++i) {
    const std::size_t at = form.order == std::endian::big ? i : form.unit - 1 - i;
    value = value << 8 | static_cast<unsigned char>(text[at]);
  }
  text.remove_prefix(form.unit);
  return value;
}

std::optional<char32_t> take_utf8(std::string_view& text) {
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};  // by length
  const auto lead = static_cast<unsigned char>(text.front());
  const auto ones = static_cast<std::size_t>(std::countl_one(lead));
  const std::size_t length = ones == 0 ? 1 : ones;
  if (ones == 1 || length >= kLeast.size() || text.size() < length) return std::nullopt;
  char32_t point = lead & (0xFFU >> ones);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80) return std::nullopt;
    point = point << 6 | (byte & 0x3FU);
  }
  text.remove_prefix(length);
  return point >= kLeast.at(length) ? std::optional(point) : std::nullopt;
}

std::optional<char32_t> take_utf16(std::string_view& text, const UnicodeForm& form) {
  const auto first = take_unit(text, form);
  if (!first || !is_surrogate(*first)) return first;
  const auto second = take_unit(text, form);
  const bool paired = *first < 0xDC00 && second && *second >= 0xDC00 && *second < 0xE000;
  if (!paired) return std::nullopt;
  return 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00);
}

std::optional<char32_t> take_point(std::string_view& text, const UnicodeForm& form) {
  const auto point = form.unit == 1   ? take_utf8(text)
                     : form.unit == 2 ? take_utf16(text, form)
                                      : take_unit(text, form);
  return point && *point <= 0x10FFFF && !is_surrogate(*point) ? point : std::nullopt;
}

void put_unit(std::string& text, const UnicodeForm& form, char32_t value) {
  for (std::size_t i = 0; i < form.unit; ++i) {
    const std::size_t place = form.order == std::endian::big ? form.unit - 1 - i : i;
    text.push_back(static_cast<char>(value >> (8 * place) & 0xFF));
  }
}

void put_utf8(std::string& text, char32_t point) {
  const int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> kLead{0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(kLead.at(static_cast<std::size_t>(more)) | point >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    text.push_back(static_cast<char>(0x80U | (point >> (6 * i) & 0x3F)));
  }
}

void put_point(std::string& text, const UnicodeForm& form, char32_t point) {
  if (form.unit == 1) {
    put_utf8(text, point);
  } else if (form.unit == 2 && point >= 0x10000) {
    put_unit(text, form, 0xD800 + ((point - 0x10000) >> 10));
    put_unit(text, form, 0xDC00 + ((point - 0x10000) & 0x3FF));
  } else {
    put_unit(text, form, point);
  }
}

/// `form` with the order that the text's mark says, which is taken off.
UnicodeForm take_mark(std::string_view& text, UnicodeForm form) {
  for (const std::endian order : {std::endian::little, std::endian::big}) {
    std::string mark;
    put_unit(mark, {{}, form.unit, order}, kByteOrderMark);
    if (!text.starts_with(mark)) continue;
    text.remove_prefix(mark.size());
    form.order = order;
    break;
  }
  return form;
}

}  // namespace

std::optional<std::string> convert_unicode(std::string_view content, std::string_view to,
                                           std::string_view from) {
  auto source = unicode_form(from);
  const auto target = unicode_form(to);
  if (!source || !target) return std::nullopt;
  if (source->marked) source = take_mark(content, *source);
  std::string converted;
  if (target->marked && !content.empty()) put_point(converted, *target, kByteOrderMark);
  while (!content.empty()) {
    const auto point = take_point(content, *source);
    if (!point) return std::nullopt;
    put_point(converted, *target, *point);
  }
  return converted;
}

}  // namespace wafers::git
