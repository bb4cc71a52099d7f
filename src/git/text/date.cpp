#include <charconv>
#include <cstdint>
#include <system_error>

#include "git/text/ascii.h"
#include "git/text/quote.h"

namespace wafers::git {
namespace {

/// What git makes of a date without "@" counts as seconds from here on, up to the year 2099
/// (date.c: match_digit(), tm_to_time_t()).
constexpr std::int64_t kLeastBareSeconds = 100'000'000;
constexpr std::int64_t kBareSecondsEnd = 4'102'444'800;

/// Takes the decimal number off the front of `text`; nullopt where there is none, or none that
/// fits.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Minutes of "+hhmm" or "-hhmm".
std::optional<int> offset_of(std::string_view text) {
  constexpr std::size_t kLength = 5;
  if (text.size() != kLength || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  std::string_view digits = text.substr(1);
  const auto zone = take_number(digits);
  if (!zone || !digits.empty()) return std::nullopt;
  const auto minutes = static_cast<int>(*zone / 100 * 60 + *zone % 100);
  return text.front() == '-' ? -minutes : minutes;
}

/// Git's other reading knows no other offset; -0001 is what it has for "not known".
bool is_usual_offset(std::string_view text) {
  return text.substr(1, 2) < "24" && text.substr(3) < "60" && text != "-0001";
}

}  // namespace

std::optional<Date> parse_raw_date(std::string_view text) {
  const bool marked = text.starts_with('@');
  if (marked) text.remove_prefix(1);
  const auto seconds = take_number(text);
  if (!seconds || !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  const auto offset = offset_of(text);
  if (!offset) return std::nullopt;
  const bool bare = *seconds >= kLeastBareSeconds && *seconds < kBareSecondsEnd;
  if (!marked && !(bare && is_usual_offset(text))) return std::nullopt;
  return Date{*seconds, *offset};
}

}  // namespace wafers::git
