#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wafers {

struct CodePoint {
  std::size_t length = 0;  ///< in bytes; 0 where the sequence is malformed
  std::uint32_t code = 0;
};

/// The UTF-8 sequence at the start of `text`, which is not empty. Malformed are overlong forms,
/// surrogates and what lies behind U+10FFFF, too.
CodePoint first_code_point(std::string_view text);

/// `text` without the byte order mark (U+FEFF) that it may start with.
constexpr std::string_view without_byte_order_mark(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace wafers
