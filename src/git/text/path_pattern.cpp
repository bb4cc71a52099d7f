#include "git/text/path_pattern.h"

#include <algorithm>

#include "git/text/ascii.h"

namespace wafers::git {
namespace {

constexpr std::string_view kSpecial = "*?[\\";

}  // namespace

PathPattern::PathPattern(std::string_view text, LetterCase letters) : letters_(letters) {
  text = text.substr(0, text.find('\0'));
  if (text.starts_with('!')) {
    negative_ = true;
    text.remove_prefix(1);
  }
  if (text.ends_with('/')) {
    directory_only_ = true;
    text.remove_suffix(1);
  }
  name_only_ = text.find('/') == std::string_view::npos;
  if (!name_only_ && text.front() == '/') text.remove_prefix(1);

  const std::size_t special = text.find_first_of(kSpecial);
  if (std::min(special, text.size()) > kLongestText) {
    rest_ = Rest::no_match;
    return;
  }
  text_ = text.substr(0, special);
  prefix_size_ = text_.size();
  if (special == std::string_view::npos) return;
  const bool is_suffix = name_only_ && text.front() == '*' &&
                         text.find_first_of(kSpecial, 1) == std::string_view::npos;
  if (is_suffix) {
    rest_ = text.size() > kLongestText ? Rest::no_match : Rest::suffix;
    if (rest_ == Rest::suffix) text_ = text;
    return;
  }
  rest_ = Rest::wild;
  // A path's literal beginning is taken off first, and what follows counts as the beginning of a
  // pattern: this is why "a**/b" reaches into directories in git although "**" is no component.
  // A name's is not, but there `**` and `*` are the same.
  wild_ = std::make_unique<Wildmatch>(text.substr(special),
                                      name_only_ ? Slash::ordinary : Slash::separator, letters);
}

bool PathPattern::equal(std::string_view a, std::string_view b) const {
  return letters_ == LetterCase::ignored ? equal_ignoring_case(a, b) : a == b;
}

bool PathPattern::matches(std::string_view path, std::string_view name) const {
  const std::string_view text = name_only_ ? name : path;
  switch (rest_) {
    case Rest::nothing:
      return equal(text, prefix());
    case Rest::suffix:
      return text.size() >= suffix().size() &&
             equal(text.substr(text.size() - suffix().size()), suffix());
    case Rest::wild:
      return text.size() >= prefix_size_ && equal(text.substr(0, prefix_size_), prefix()) &&
             wild_->matches(text.substr(prefix_size_));
    case Rest::no_match:
      return false;
  }
  return false;
}

}  // namespace wafers::git
