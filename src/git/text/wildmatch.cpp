#include "git/text/wildmatch.h"

#include <algorithm>

#include "git/text/ascii.h"

// The pattern becomes a row of tokens, and matching follows all positions in that row at once
// (Thompson's way), so that many stars don't multiply the work.

namespace wafers::git {
namespace {

bool in_class(std::string_view name, char c, LetterCase letters, bool& known) {
  known = true;
  const bool graphic = is_print(c) && c != ' ';
  if (name == "alnum") return is_alnum(c);
  if (name == "alpha") return is_alpha(c);
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "cntrl") return is_control(c);
  if (name == "digit") return is_digit(c);
  if (name == "graph") return graphic;
  if (name == "lower") return is_lower(c);
  if (name == "print") return is_print(c);
  if (name == "punct") return graphic && !is_alnum(c);
  if (name == "space") return is_space(c);
  if (name == "upper") return is_upper(c) || (letters == LetterCase::ignored && is_lower(c));
  if (name == "xdigit") return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
  known = false;
  return false;
}

/// Reads one bracket expression and says which bytes it holds.
class SetReader {
 public:
  SetReader(std::string_view pattern, std::size_t at, LetterCase letters)
      : pattern_(pattern), next_(at), letters_(letters) {}

  /// From behind the '[' to behind the ']'. False where the expression is not well-formed.
  bool read() {
    const bool negated = peek() == '!' || peek() == '^';
    if (negated) ++next_;
    // A ']' in the first place stands for itself.
    do {
      if (!read_item()) return false;
    } while (peek() != ']');
    ++next_;
    if (negated) set_.flip();
    return true;
  }

  std::size_t next() const { return next_; }
  const std::bitset<256>& set() const { return set_; }

 private:
  char peek(std::size_t ahead = 0) const { return char_at(pattern_, next_ + ahead); }

  void add(char c) { set_.set(static_cast<unsigned char>(c)); }

  bool read_item() {
    const char c = peek();
    if (c == '\0') return false;
    if (c == '-' && previous_ != '\0' && peek(1) != '\0' && peek(1) != ']') return read_range();
    if (c == '[' && peek(1) == ':') return read_class();
    ++next_;
    previous_ = c;
    if (c == '\\') {
      previous_ = peek();
      ++next_;
      if (previous_ == '\0') return false;
    }
    add(previous_);
    return true;
  }

  bool read_range() {
    ++next_;
    if (peek() == '\\') ++next_;
    const char last = peek();
    if (last == '\0') return false;
    ++next_;
    const auto low = static_cast<unsigned char>(previous_);
    const auto high = static_cast<unsigned char>(last);
    for (unsigned code = low; code <= high; ++code) {
      const char c = static_cast<char>(code);
      add(c);
      if (letters_ == LetterCase::ignored && is_upper(c)) add(to_lower(c));
    }
    previous_ = '\0';
    return true;
  }

  bool read_class() {
    const std::size_t start = next_ + 2;
    const std::size_t end = pattern_.find(']', start);
    if (end == std::string_view::npos) return false;
    if (end == start || pattern_[end - 1] != ':') {
      // No ":]": the '[' stands for itself.
      add('[');
      previous_ = '[';
      ++next_;
      return true;
    }
    const std::string_view name = pattern_.substr(start, end - 1 - start);
    bool known = false;
    for (unsigned code = 0; code < set_.size(); ++code) {
      const char c = static_cast<char>(code);
      if (in_class(name, c, letters_, known)) add(c);
      if (!known) return false;
    }
    next_ = end + 1;
    previous_ = '\0';
    return true;
  }

  std::string_view pattern_;
  std::size_t next_;
  LetterCase letters_;
  char previous_ = '\0';  ///< what a range would start from
  std::bitset<256> set_;
};

}  // namespace

Wildmatch::Wildmatch(std::string_view pattern, Slash slash, LetterCase letters)
    : slash_(slash), letters_(letters) {
  pattern = pattern.substr(0, pattern.find('\0'));
  std::size_t i = 0;
  while (i < pattern.size() && !malformed_) {
    i = add_token(pattern, i);
    if (shortest_ > kLongestText) match_nothing();
  }
}

/// Adds what begins at `i`; returns where to go on.
std::size_t Wildmatch::add_token(std::string_view pattern, std::size_t i) {
  const char c = pattern[i];
  if (c == '*') return add_stars(pattern, i);
  if (c == '[') return add_set(pattern, i + 1);
  if (c == '?') {
    add_one_byte({.kind = Kind::any});
    return i + 1;
  }
  if (c == '\\') {
    if (i + 1 == pattern.size()) match_nothing();
    // Git lowers the text's letters and not an escaped one: "\A" then matches nothing.
    add_one_byte({.kind = Kind::literal, .byte = char_at(pattern, i + 1)});
    return i + 2;
  }
  add_one_byte({.kind = Kind::literal, .byte = letters_ == LetterCase::ignored ? to_lower(c) : c});
  return i + 1;
}

/// Adds a token that takes a byte of text in any case.
void Wildmatch::add_one_byte(Token token) {
  tokens_.push_back(token);
  ++shortest_;
}

void Wildmatch::match_nothing() {
  malformed_ = true;
  tokens_ = {};
  sets_ = {};
}

bool Wildmatch::ends_with_optional() const {
  return tokens_.size() >= 3 && tokens_[tokens_.size() - 3].kind == Kind::optional;
}

/// Adds the run of stars that begins at `first`; returns where to go on.
std::size_t Wildmatch::add_stars(std::string_view pattern, std::size_t first) {
  std::size_t end = first;
  while (char_at(pattern, end) == '*') ++end;
  const bool slash_follows = char_at(pattern, end) == '/' ||
                             (char_at(pattern, end) == '\\' && char_at(pattern, end + 1) == '/');
  const bool whole_component =
      (first == 0 || pattern[first - 1] == '/') && (end == pattern.size() || slash_follows);
  const bool deep = slash_ == Slash::ordinary || (end - first > 1 && whole_component);
  // "**/" may also match nothing at all.
  const bool may_vanish = deep && slash_ == Slash::separator && char_at(pattern, end) == '/';
  if (!may_vanish) {
    tokens_.push_back({.kind = deep ? Kind::deep_star : Kind::star});
    return end;
  }
  // "**/**/" matches what "**/" does.
  if (!ends_with_optional()) {
    tokens_.push_back({.kind = Kind::optional});
    tokens_.push_back({.kind = Kind::deep_star});
    tokens_.push_back({.kind = Kind::literal, .byte = '/'});
  }
  return end + 1;
}

std::size_t Wildmatch::add_set(std::string_view pattern, std::size_t first) {
  SetReader reader(pattern, first, letters_);
  if (!reader.read()) {
    match_nothing();
    return pattern.size();
  }
  ByteSet set = reader.set();
  if (slash_ == Slash::separator) set.reset('/');
  add_one_byte({.kind = Kind::set, .set = static_cast<std::uint32_t>(sets_.size())});
  sets_.push_back(set);
  return reader.next();
}

bool Wildmatch::consumes(const Token& token, char byte) const {
  switch (token.kind) {
    case Kind::literal:
      return token.byte == byte;
    case Kind::any:
      return slash_ == Slash::ordinary || byte != '/';
    case Kind::set:
      return sets_[token.set].test(static_cast<unsigned char>(byte));
    case Kind::star:
      return byte != '/';
    case Kind::deep_star:
      return true;
    case Kind::optional:
      return false;
  }
  return false;
}

/// Adds a state and what is reached from it without a byte of text, which is always further on.
/// States come in ascending order, but what an `optional` leaps to may come again.
void Wildmatch::add_state(States& states, std::uint32_t state) const {
  for (bool onward = true; onward; ++state) {
    const auto place = std::lower_bound(states.begin(), states.end(), state);
    if (place == states.end() || *place != state) states.insert(place, state);
    const Kind kind = state < tokens_.size() ? tokens_[state].kind : Kind::literal;
    if (kind == Kind::optional) add_state(states, state + 3);
    onward = kind == Kind::star || kind == Kind::deep_star || kind == Kind::optional;
  }
}

bool Wildmatch::matches(std::string_view text) const {
  if (malformed_ || text.size() < shortest_) return false;
  const auto folded = [this](char c) { return letters_ == LetterCase::ignored ? to_lower(c) : c; };
  // Most texts fail at once: don't make sets for them.
  const bool must_start = !tokens_.empty() && tokens_.front().kind == Kind::literal;
  if (must_start && folded(text.front()) != tokens_.front().byte) return false;

  States states;
  States next;
  add_state(states, 0);
  for (const char raw : text) {
    const char c = folded(raw);
    next.clear();
    for (const std::uint32_t i : states) {
      if (i == tokens_.size() || !consumes(tokens_[i], c)) continue;
      const bool repeats = tokens_[i].kind == Kind::star || tokens_[i].kind == Kind::deep_star;
      add_state(next, repeats ? i : i + 1);
    }
    if (next.empty()) return false;
    states.swap(next);
  }
  return states.back() == tokens_.size();
}

}  // namespace wafers::git
