#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wafers {

/// `text` in single quotes for a message, with control characters, quotes and bytes that are not
/// UTF-8 escaped, so that a hostile file name can't write to the terminal.
std::string quoted(std::string_view text);

/// `text` with control characters and invalid UTF-8 escaped as `\n`, `\t` or `\ooo`, without
/// quotes.
std::string printable(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

/// The pieces of `text` between `separator`s, empty ones included; "" gives one empty piece.
std::vector<std::string> split(std::string_view text, char separator);

/// `text` without leading and trailing blanks, tabs, CR and LF.
std::string_view trimmed(std::string_view text);

/// `text` as one word of a POSIX shell command line, quoted where needed.
std::string shell_quoted(std::string_view text);

}  // namespace wafers
