#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wafers::fuzz {

/// One step of a scenario: a verb and its arguments, any bytes. Written one to a line, as
/// `verb "argument" "argument"` with C's escapes, so that a report can be read, cut down by hand,
/// and run again.
struct Operation {
  std::string verb = {};
  std::vector<std::string> args = {};

  bool operator==(const Operation&) const = default;
};

std::string to_text(const Operation& operation);
/// The opposite. Throws std::runtime_error.
Operation parse_operation(std::string_view line);

/// `text` in double quotes, with C's escapes for what isn't printable ASCII.
std::string quote(std::string_view text);

}  // namespace wafers::fuzz
