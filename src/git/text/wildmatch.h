#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wafers::git {

enum class LetterCase { sensitive, ignored };  ///< core.ignoreCase

/// What takes more bytes of text than this matches nothing: more than Linux lets a process name at
/// once (PATH_MAX), by far.
constexpr std::size_t kLongestText = std::size_t{1} << 16U;

/// Whether `*`, `?` and brackets match a '/' too.
enum class Slash { ordinary, separator };  ///< separator: git's WM_PATHNAME

/// A pattern as git's wildmatch.c understands it: `*`, `?`, bracket expressions with ranges,
/// classes and escapes, backslash escapes, and, where the slash separates, `**/`, `/**/` and `/**`.
///
/// Ignore files come from an untrusted tree. Whatever the pattern, matching takes memory in
/// proportion to the text, and time in proportion to its square at worst; a pattern that takes more
/// bytes of text than any path has (kLongestText) matches nothing and keeps no memory.
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
    std::uint32_t set = 0;  ///< index into sets_
  };
  /// States of the matching, in ascending order: indices of tokens, and one behind the last.
  using States = std::vector<std::uint32_t>;
  using ByteSet = std::bitset<256>;

  std::size_t add_token(std::string_view pattern, std::size_t at);
  void add_one_byte(Token token);
  std::size_t add_stars(std::string_view pattern, std::size_t at);
  std::size_t add_set(std::string_view pattern, std::size_t at);
  bool ends_with_optional() const;
  void match_nothing();
  bool consumes(const Token& token, char byte) const;
  void add_state(States& states, std::uint32_t state) const;

  std::vector<Token> tokens_;
  std::vector<ByteSet> sets_;
  std::size_t shortest_ = 0;  ///< text that can match, in bytes
  bool malformed_ = false;    ///< matches nothing
  Slash slash_ = Slash::ordinary;
  LetterCase letters_ = LetterCase::sensitive;
};

}  // namespace wafers::git
