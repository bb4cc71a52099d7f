#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wafers::git {

/// Whether git takes both for names of one encoding: letter case and the '-' of "UTF-8" don't
/// count.
bool is_same_encoding(std::string_view a, std::string_view b);

/// `content` from one encoding to another through iconv(3), with git's own names UTF-16LE-BOM and
/// UTF-16BE-BOM (utf8.c: reencode_string_len). nullopt where an encoding is unknown or the content
/// isn't valid.
std::optional<std::string> reencode(std::string_view content, const std::string& to,
                                    const std::string& from);

/// Whether `content` has a byte order mark although `encoding` says the order (UTF-16BE, ...).
bool has_prohibited_bom(std::string_view content, std::string_view encoding);

/// Whether `content` lacks the byte order mark that `encoding` needs (UTF-16, UTF-32).
bool lacks_required_bom(std::string_view content, std::string_view encoding);

}  // namespace wafers::git
