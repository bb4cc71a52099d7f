#pragma once

#include <cstddef>
#include <string_view>

namespace wafers::git {

/// Finds the blank lines that a patch adds at a file's end, which git shows as a whitespace error
/// (diff.c: check_blank_at_eof(), new_blank_line_at_eof()). It is shown a patch line by line.
class BlankAtEof {
 public:
  BlankAtEof() = default;
  BlankAtEof(std::string_view before, std::string_view after);

  /// "@@ -1,2 +3,4 @@ ..."
  void enter_hunk(std::string_view header);
  /// Goes on to the next line; `sign` is '+', '-' or ' '.
  void enter_line(char sign);
  /// Whether this line, without its sign, is a blank one that is new at the end.
  bool is_new_blank(std::string_view line) const;

 private:
  // Line numbers from 1; 0 where the end has no more blank lines than before.
  std::size_t first_before_ = 0, first_after_ = 0;
  std::size_t line_before_ = 0, line_after_ = 0;
};

}  // namespace wafers::git
