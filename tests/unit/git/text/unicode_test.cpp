#include "git/text/unicode.h"

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "git/text/encoding.h"
#include "support/catch.h"

using namespace wafers::git;

// iconv(3) is the oracle, through reencode().

namespace {

constexpr std::array kForms{"UTF-8",    "UTF-16", "UTF-16LE", "UTF-16BE",
                            "UTF-32LE", "UTF-32", "UTF-32BE"};

/// Code points of each length in each form, and those at the borders of what is valid.
constexpr std::array<std::uint32_t, 18> kPoints{0,      'a',    0x7F,   0x80,   0xE9,    0x7FF,
                                                0x800,  0x20AC, 0xD7FF, 0xD800, 0xDBFF,  0xDC00,
                                                0xDFFF, 0xFEFF, 0xFFFE, 0xFFFF, 0x1F600, 0x10FFFF};

std::string in_utf32(std::uint32_t point) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(point >> shift & 0xFF));
  return bytes;
}

void expect_as_iconv(const std::string& content) {
  for (const char* from : kForms) {
    for (const char* to : kForms) {
      const auto wanted = reencode(content, to, from);
      const auto found = convert_unicode(content, to, from);
      INFO(from << " to " << to);
      CAPTURE(std::vector<int>(content.begin(), content.end()));
      REQUIRE((found == wanted));
    }
  }
}

}  // namespace

TEST_CASE("Unicode is converted as iconv does, without it") {
  std::mt19937 random(1);
  const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
  expect_as_iconv("");
  for (int round = 0; round < 50; ++round) {
    std::string points;
    const std::size_t length = 1 + pick(4);
    for (std::size_t i = 0; i < length; ++i) points += in_utf32(kPoints.at(pick(kPoints.size())));
    const auto valid = reencode(points, kForms.at(pick(kForms.size())), "UTF-32BE");
    std::string content = valid.value_or(points);
    expect_as_iconv(content);
    // Damaged: a byte of it changed, or its end cut off.
    if (content.empty()) continue;
    content.at(pick(content.size())) = static_cast<char>(pick(256));
    expect_as_iconv(content);
    content.resize(content.size() - 1);
    expect_as_iconv(content);
  }
}

TEST_CASE("Forms of Unicode go by the names that git knows") {
  CHECK(convert_unicode("a", "utf16le", "utf8") == std::string("a\0", 2));
  CHECK(convert_unicode("a", "UTF-8", "utf-8") == "a");
  CHECK_FALSE(convert_unicode("a", "ISO-8859-1", "UTF-8"));
  CHECK_FALSE(convert_unicode("a", "UTF-8", "SHIFT-JIS"));
}
