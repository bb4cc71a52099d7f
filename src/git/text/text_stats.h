#pragma once

#include <cstddef>
#include <string_view>

namespace wafers::git {

/// What git counts to tell text from binary (convert.c: gather_stats).
struct TextStats {
  std::size_t nul = 0, lone_cr = 0, lone_lf = 0, crlf = 0;
  std::size_t printable = 0, nonprintable = 0;

  static TextStats of(std::string_view content);
  bool is_binary() const noexcept;
};

}  // namespace wafers::git
