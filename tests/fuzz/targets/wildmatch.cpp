// One pattern and one text: an agent chooses both. Matching follows all states of the pattern at
// once; the plain way, trying one after the other, must come to the same.
#include "git/text/wildmatch.h"

#include <cctype>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "git/text/path_pattern.h"
#include "target.h"

namespace {

using wafers::fuzz::require;
using wafers::git::LetterCase;
using wafers::git::PathPattern;
using wafers::git::Slash;
using wafers::git::Wildmatch;

constexpr std::string_view kSpecial = "*?[\\";

/// What git's wildmatch.c says, by trial and error.
class Reference {
 public:
  Reference(std::string_view pattern, std::string_view text, Slash slash, LetterCase letters)
      : pattern_(pattern),
        text_(text),
        paths_(slash == Slash::separator),
        fold_(letters == LetterCase::ignored) {
    if (!fold_) return;
    for (char& c : text_) c = lower(c);
  }

  bool matches() { return matches(0, 0); }

 private:
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  static unsigned code(char c) { return static_cast<unsigned char>(c); }
  char p(std::size_t i) const { return i < pattern_.size() ? pattern_[i] : '\0'; }
  bool ends(std::size_t i) const { return i >= pattern_.size(); }

  bool matches(std::size_t i, std::size_t t) {
    const auto [known, is_new] = known_.try_emplace({i, t}, false);
    if (!is_new) return known->second;
    const bool result = find_out(i, t);
    known_[{i, t}] = result;
    return result;
  }

  bool find_out(std::size_t i, std::size_t t) {
    if (ends(i)) return t == text_.size();
    if (p(i) == '*') return stars(i, t);
    if (t == text_.size()) return false;
    const char c = text_[t];
    if (p(i) == '?') return !(paths_ && c == '/') && matches(i + 1, t + 1);
    if (p(i) == '[') return set(i + 1, t);
    if (p(i) == '\\') return !ends(i + 1) && p(i + 1) == c && matches(i + 2, t + 1);
    return (fold_ ? lower(p(i)) : p(i)) == c && matches(i + 1, t + 1);
  }

  bool stars(std::size_t i, std::size_t t) {
    std::size_t end = i;
    while (p(end) == '*') ++end;
    const bool at_start = i == 0 || p(i - 1) == '/';
    const bool at_end = ends(end) || p(end) == '/' || (p(end) == '\\' && p(end + 1) == '/');
    const bool deep = !paths_ || (end - i > 1 && at_start && at_end);
    // Only "**/" is more than stars: it may be nothing at all.
    if (deep && paths_ && p(end) == '/' && matches(end + 1, t)) return true;
    for (;; ++t) {
      if (matches(end, t)) return true;
      if (t == text_.size() || (!deep && text_[t] == '/')) return false;
    }
  }

  bool in_class(std::string_view name, char c, bool& known) const {
    using Test = int (*)(int);
    static const std::map<std::string_view, Test> kTests{
        {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank},
        {"cntrl", std::iscntrl}, {"digit", std::isdigit}, {"graph", std::isgraph},
        {"lower", std::islower}, {"print", std::isprint}, {"punct", std::ispunct},
        {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
    const auto test = kTests.find(name);
    known = test != kTests.end();
    if (!known || code(c) > 127) return false;
    const int ascii = static_cast<int>(code(c));
    return test->second(ascii) != 0 || (fold_ && name == "upper" && std::islower(ascii) != 0);
  }

  bool in_range(char c, char first, char last) const {
    const auto lies = [&](char x) { return code(first) <= code(x) && code(x) <= code(last); };
    return lies(c) || (fold_ && c >= 'a' && c <= 'z' && lies(static_cast<char>(c - 32)));
  }

  /// Behind a '['.
  bool set(std::size_t i, std::size_t t) {
    const char c = text_[t];
    const bool negated = p(i) == '!' || p(i) == '^';
    if (negated) ++i;
    bool found = false;
    char first = '\0';  // of a range that may follow
    do {
      if (ends(i)) return false;
      char item = p(i);
      if (item == '-' && first != '\0' && !ends(i + 1) && p(i + 1) != ']') {
        if (p(++i) == '\\') ++i;
        if (ends(i)) return false;
        found = found || in_range(c, first, p(i));
        item = '\0';
      } else if (item == '[' && p(i + 1) == ':') {
        const std::size_t end = pattern_.find(']', i + 2);
        if (end == std::string_view::npos) return false;
        if (end > i + 2 && p(end - 1) == ':') {
          bool known = false;
          found = in_class(pattern_.substr(i + 2, end - i - 3), c, known) || found;
          if (!known) return false;
          i = end;
          item = '\0';
        } else {
          found = found || c == '[';
        }
      } else {
        if (item == '\\') item = p(++i);
        if (ends(i)) return false;
        found = found || item == c;
      }
      first = item;
      ++i;
    } while (p(i) != ']');
    return found != negated && !(paths_ && c == '/') && matches(i + 1, t + 1);
  }

  std::string_view pattern_;
  std::string text_;
  bool paths_;
  bool fold_;
  std::map<std::pair<std::size_t, std::size_t>, bool> known_;
};

bool equal(std::string_view a, std::string_view b, LetterCase letters) {
  return letters == LetterCase::ignored
             ? a.size() == b.size() && Reference(b, a, Slash::ordinary, letters).matches()
             : a == b;
}

/// What dir.c makes of a line: match_basename() and match_pathname().
bool line_matches(std::string_view line, std::string_view path, LetterCase letters) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (line.starts_with('!')) line.remove_prefix(1);
  if (line.ends_with('/')) line.remove_suffix(1);
  if (line.find('/') == std::string_view::npos) {
    return Reference(line, name, Slash::ordinary, letters).matches();
  }
  if (line.starts_with('/')) line.remove_prefix(1);
  const std::string_view plain = line.substr(0, line.find_first_of(kSpecial));
  return path.size() >= plain.size() && equal(path.substr(0, plain.size()), plain, letters) &&
         Reference(line.substr(plain.size()), path.substr(plain.size()), Slash::separator, letters)
             .matches();
}

std::string_view without_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongest = 256;  // the plain way takes its time
  const auto parts = wafers::fuzz::parts(wafers::fuzz::as_text(data, size), 2);
  const std::string_view pattern = without_nul(parts[0]);
  const std::string_view text = without_nul(parts[1]);
  if (size > kLongest) return 0;
  for (const LetterCase letters : {LetterCase::sensitive, LetterCase::ignored}) {
    for (const Slash slash : {Slash::ordinary, Slash::separator}) {
      const bool expected = Reference(pattern, text, slash, letters).matches();
      require(Wildmatch(pattern, slash, letters).matches(text) == expected, "a pattern matches");
    }
    const PathPattern line(pattern, letters);
    const std::string_view name = text.substr(text.rfind('/') + 1);
    require(line.matches(text, name) == line_matches(pattern, text, letters), "a line matches");
  }
  return 0;
}
