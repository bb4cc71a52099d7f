#pragma once

#include <cstddef>
#include <string_view>

namespace wafers::git {

/// How many columns of a terminal `text` takes, as git counts them (utf8.c: utf8_strnwidth): two
/// for wide characters, none for those that combine with the one before and for controls. What is
/// no UTF-8 takes as many as it has bytes.
std::size_t display_width(std::string_view text);

/// Number of bytes of the character that `text` begins with; 1 where that is no UTF-8.
std::size_t character_size(std::string_view text);

}  // namespace wafers::git
