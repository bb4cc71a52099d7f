#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wafers::git {

/// What git counts to tell text from binary (convert.c: gather_stats).
struct TextStats {
  std::size_t nul = 0, lone_cr = 0, lone_lf = 0, crlf = 0;
  std::size_t printable = 0, nonprintable = 0;

  static TextStats of(std::string_view content);
  bool is_binary() const noexcept;
};

/// Without the CR of each CR LF; in place, since the text may be large.
std::string without_carriage_returns(std::string text);

}  // namespace wafers::git
