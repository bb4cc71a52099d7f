#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wafers::git {

/// `content` from one form of Unicode to another (UTF-8, UTF-16, UTF-16LE, UTF-32BE, ...), as
/// iconv(3) has it: a UTF-16 or UTF-32 whose name says no byte order has a mark first, and this
/// machine's order where it is read without. nullopt where a form is unknown or the content isn't
/// valid. For static programs, in which iconv(3) can't be used.
std::optional<std::string> convert_unicode(std::string_view content, std::string_view to,
                                           std::string_view from);

}  // namespace wafers::git
