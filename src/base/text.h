#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wafers {

/// `text` in single quotes for a message, with quotes and all that printable() escapes escaped, so
/// that a hostile file name can't write to the terminal.
std::string in_quotes(std::string_view text);

/// `text` with what a terminal obeys instead of showing it escaped as `\n`, `\t` or `\ooo` for each
/// byte: control characters (C0, DEL and C1: U+009B begins a sequence as ESC [ does), marks that
/// turn the direction of what follows (Unicode standard annex 9; U+2028 and U+2029 end a line), and
/// what is not UTF-8.
std::string printable(std::string_view text);

/// Each of `lines`, as printable(), indented on a line of its own; of more than `most` the first
/// ones, and how many more there are.
std::string indented(const std::vector<std::string>& lines, std::size_t most = std::string::npos);

/// As printable(), for a text of several lines: newlines and tabs stay.
std::string printable_lines(std::string_view text);

/// A JSON document, with the same characters as `\uXXXX`: they can only stand in its strings, and
/// a parser gets the same values.
std::string printable_json(std::string_view document);

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

/// `text`, which must be printable, with at most `most` characters: what is cut off its end shows
/// as
/// "...".
std::string shortened(std::string_view text, std::size_t most);

/// The pieces of `text` between `separator`s, empty ones included; "" gives one empty piece.
std::vector<std::string> split(std::string_view text, char separator);

/// The pieces with `separator` between them.
std::string joined(const std::vector<std::string>& pieces, std::string_view separator);

/// `text` without leading and trailing blanks, tabs, CR and LF.
std::string_view trimmed(std::string_view text);

/// `text` as one word of a POSIX shell command line, quoted where needed.
std::string shell_quoted(std::string_view text);

/// Whether the absolute path `path` is `directory` or below it. Both normal: no ".", "..", and no
/// empty component.
bool is_within(std::string_view path, std::string_view directory);

}  // namespace wafers
