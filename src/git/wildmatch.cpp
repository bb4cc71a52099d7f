#include "git/wildmatch.h"

#include <algorithm>

#include "git/ascii.h"

// The pattern becomes a row of tokens, and matching follows all positions in that row at once
// (Thompson's way), so that many stars don't multiply the work.

namespace wafers::git {
namespace {

char at(std::string_view text, std::size_t i) { return i < text.size() ? text[i] : '\0'; }

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
  char peek(std::size_t ahead = 0) const { return at(pattern_, next_ + ahead); }

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
    const char c = pattern[i];
    if (c == '*') {
      i = add_stars(pattern, i);
    } else if (c == '[') {
      i = add_set(pattern, i + 1);
    } else if (c == '?') {
      tokens_.push_back({.kind = Kind::any});
      ++i;
    } else if (c == '\\') {
      // Git lowers the text's letters and not an escaped one: "\A" then matches nothing.
      malformed_ = i + 1 == pattern.size();
      tokens_.push_back({.kind = Kind::literal, .byte = at(pattern, i + 1)});
      i += 2;
    } else {
      tokens_.push_back(
          {.kind = Kind::literal, .byte = letters == LetterCase::ignored ? to_lower(c) : c});
      ++i;
    }
  }
}

/// Adds the run of stars that begins at `first`; returns where to go on.
std::size_t Wildmatch::add_stars(std::string_view pattern, std::size_t first) {
  std::size_t end = first;
  while (at(pattern, end) == '*') ++end;
  const bool slash_follows =
      at(pattern, end) == '/' || (at(pattern, end) == '\\' && at(pattern, end + 1) == '/');
  const bool whole_component =
      (first == 0 || pattern[first - 1] == '/') && (end == pattern.size() || slash_follows);
  const bool deep = slash_ == Slash::ordinary || (end - first > 1 && whole_component);
  // "**/" may also match nothing at all.
  const bool may_vanish = deep && slash_ == Slash::separator && at(pattern, end) == '/';
  if (may_vanish) tokens_.push_back({.kind = Kind::optional});
  tokens_.push_back({.kind = deep ? Kind::deep_star : Kind::star});
  if (may_vanish) tokens_.push_back({.kind = Kind::literal, .byte = '/'});
  if (may_vanish) ++end;
  return end;
}

std::size_t Wildmatch::add_set(std::string_view pattern, std::size_t first) {
  SetReader reader(pattern, first, letters_);
  if (!reader.read()) {
    malformed_ = true;
    return pattern.size();
  }
  ByteSet set = reader.set();
  if (slash_ == Slash::separator) set.reset('/');
  tokens_.push_back({.kind = Kind::set, .set = sets_.size()});
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

/// Marks what is reached from the marked states without a byte of text; that is always further on.
void Wildmatch::add_empty_matches(std::vector<std::uint8_t>& states) const {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (states[i] == 0) continue;
    const Kind kind = tokens_[i].kind;
    if (kind == Kind::star || kind == Kind::deep_star || kind == Kind::optional) states[i + 1] = 1;
    if (kind == Kind::optional) states[i + 3] = 1;
  }
}

bool Wildmatch::matches(std::string_view text) const {
  if (malformed_) return false;
  const auto folded = [this](char c) { return letters_ == LetterCase::ignored ? to_lower(c) : c; };
  // Most texts fail at once: don't make sets for them.
  const bool must_start = !tokens_.empty() && tokens_.front().kind == Kind::literal;
  if (must_start && (text.empty() || folded(text.front()) != tokens_.front().byte)) return false;

  std::vector<std::uint8_t> states(tokens_.size() + 1);
  std::vector<std::uint8_t> next(tokens_.size() + 1);
  states[0] = 1;
  add_empty_matches(states);
  for (const char raw : text) {
    const char c = folded(raw);
    bool alive = false;
    std::fill(next.begin(), next.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (states[i] == 0 || !consumes(tokens_[i], c)) continue;
      const bool repeats = tokens_[i].kind == Kind::star || tokens_[i].kind == Kind::deep_star;
      next[repeats ? i : i + 1] = 1;
      alive = true;
    }
    if (!alive) return false;
    states.swap(next);
    add_empty_matches(states);
  }
  return states.back() != 0;
}

}  // namespace wafers::git
