#pragma once

// Catch2 2 (Debian 12) and 3 differ, as far as we use them, in the header's name, and in that of
// the matcher for a part of a text: what 3 calls Contains is about elements of ranges.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define Contains ContainsSubstring
#else
#include <catch2/catch.hpp>
#endif
