#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wafers::git {

enum class LetterCase { sensitive, ignored };  ///< core.ignoreCase

/// Whether `*`, `?` and brackets match a '/' too.
enum class Slash { ordinary, separator };  ///< separator: git's WM_PATHNAME

/// A pattern as git's wildmatch.c understands it: `*`, `?`, bracket expressions with ranges,
/// classes and escapes, backslash escapes, and, where the slash separates, `**/`, `/**/` and `/**`.
///
/// Matching takes time and memory in proportion to pattern times text at worst, whatever the
/// pattern: ignore files come from an untrusted tree.
class Wildmatch {
 public:
  Wildmatch() = default;
  Wildmatch(std::string_view pattern, Slash slash, LetterCase letters);

  bool matches(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t {
    literal,    ///< exactly the byte
    any,        ///< `?`
    set,        ///< bracket expression
    star,       ///< any run of bytes without '/'
    deep_star,  ///< any run of bytes
    optional,   ///< the next two tokens (of `**/`) as a whole may match nothing
  };
  struct Token {
    Kind kind = Kind::literal;
    char byte = 0;
    std::size_t set = 0;  ///< index into sets_
  };
  using ByteSet = std::bitset<256>;

  std::size_t add_stars(std::string_view pattern, std::size_t at);
  std::size_t add_set(std::string_view pattern, std::size_t at);
  bool consumes(const Token& token, char byte) const;
  void add_empty_matches(std::vector<std::uint8_t>& states) const;

  std::vector<Token> tokens_;
  std::vector<ByteSet> sets_;
  bool malformed_ = false;  ///< matches nothing
  Slash slash_ = Slash::ordinary;
  LetterCase letters_ = LetterCase::sensitive;
};

}  // namespace wafers::git
