#include <array>
#include <cinttypes>
#include <cstdlib>
#include <ctime>

#include "git/text/ascii.h"
#include "git/text/quote.h"

// Git's reading of a date (date.c: parse_date_basic): it goes from left to right, takes each word
// or number for what it may be given what is known so far, and passes over what it can't use.

namespace wafers::git {
namespace {

constexpr int kUnknown = -1;
constexpr std::int64_t kTenDays = std::int64_t{10} * 24 * 3600;

struct Zone {
  std::string_view name;
  int hours;  ///< summer time included
};

constexpr auto kZones = std::to_array<Zone>({
    {"IDLW", -12}, {"NT", -11},  {"CAT", -10}, {"HST", -10}, {"HDT", -9}, {"YST", -9}, {"YDT", -8},
    {"PST", -8},   {"PDT", -7},  {"MST", -7},  {"MDT", -6},  {"CST", -6}, {"CDT", -5}, {"EST", -5},
    {"EDT", -4},   {"AST", -3},  {"ADT", -2},  {"WAT", -1},  {"GMT", 0},  {"UTC", 0},  {"Z", 0},
    {"WET", 0},    {"BST", 1},   {"CET", 1},   {"MET", 1},   {"MEWT", 1}, {"MEST", 2}, {"CEST", 2},
    {"MESZ", 2},   {"FWT", 1},   {"FST", 2},   {"EET", 2},   {"EEST", 3}, {"WAST", 7}, {"WADT", 8},
    {"CCT", 8},    {"JST", 9},   {"EAST", 10}, {"EADT", 11}, {"GST", 10}, {"NZT", 12}, {"NZST", 12},
    {"NZDT", 13},  {"IDLE", 12},
});

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};

constexpr std::array<std::string_view, 7> kWeekdays{
    "Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"};

/// How many characters of the word at `text` are a beginning of `name`; 0 where the word is not.
std::size_t match_word(const char* text, std::string_view name) {
  std::size_t i = 0;
  for (; text[i] != '\0'; ++i) {
    if (i < name.size() && to_upper(text[i]) == to_upper(name[i])) continue;
    return is_alnum(text[i]) ? 0 : i;
  }
  return i;
}

std::size_t count_digits(const char* text) {
  std::size_t count = 0;
  while (is_digit(text[count])) ++count;
  return count;
}

/// Seconds since the epoch of a broken-down time in UTC; nullopt outside 1970-2099 or incomplete.
/// As lenient as git with the day: the 31st of April is the 1st of May.
std::optional<std::int64_t> seconds_of(const std::tm& tm) {
  constexpr std::array<int, 12> kDaysBefore{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const int year = tm.tm_year - 70;
  if (year < 0 || year > 129 || tm.tm_mon < 0 || tm.tm_mon > 11) return std::nullopt;
  if (tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0) return std::nullopt;
  const bool leap_day_passed = tm.tm_mon >= 2 && (year + 2) % 4 == 0;
  const std::int64_t days = year * 365 + (year + 1) / 4 +
                            kDaysBefore.at(static_cast<std::size_t>(tm.tm_mon)) + tm.tm_mday -
                            (leap_day_passed ? 0 : 1);
  return ((days * 24 + tm.tm_hour) * 60 + tm.tm_min) * 60 + tm.tm_sec;
}

class DateParser {
 public:
  DateParser() {
    tm_.tm_year = tm_.tm_mon = tm_.tm_mday = kUnknown;
    tm_.tm_hour = tm_.tm_min = tm_.tm_sec = kUnknown;
    tm_.tm_isdst = kUnknown;
  }

  std::optional<Date> parse(const char* text) {
    while (*text != '\0' && *text != '\n') {
      std::size_t used = 0;
      if (is_alpha(*text)) {
        used = take_word(text);
      } else if (is_digit(*text)) {
        used = take_number(text);
      } else if ((*text == '-' || *text == '+') && is_digit(text[1])) {
        used = take_offset(text);
      }
      text += used == 0 ? 1 : used;
    }
    return result();
  }

 private:
  std::size_t take_word(const char* text);
  std::size_t take_number(const char* text);
  std::size_t take_offset(const char* text);
  std::size_t take_series(const char* text, const char* separator, std::uintmax_t first);
  bool take_date_series(char separator, int first, int second, int third);
  void take_year_or_offset(std::uintmax_t number);
  void take_day_month_or_year(std::uintmax_t number, std::size_t digits);
  bool set_date(int year, int month, int day, const std::tm* now_tm, std::time_t now);
  bool set_time(std::intmax_t hour, std::intmax_t minute, std::intmax_t second);
  std::optional<Date> result();

  bool nothing_known() const {
    return (tm_.tm_year & tm_.tm_mon & tm_.tm_mday & tm_.tm_hour & tm_.tm_min & tm_.tm_sec) < 0;
  }
  bool date_known() const {
    return tm_.tm_year != kUnknown && tm_.tm_mon != kUnknown && tm_.tm_mday != kUnknown;
  }

  std::tm tm_{};
  int offset_ = kUnknown;  ///< minutes; that -1 also is an offset is git's own ambiguity
  bool is_utc_ = false;    ///< came as seconds since the epoch
};

std::size_t DateParser::take_word(const char* text) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (const std::size_t used = match_word(text, kMonths.at(i)); used >= 3) {
      tm_.tm_mon = static_cast<int>(i);
      return used;
    }
  }
  for (const std::string_view weekday : kWeekdays) {
    if (const std::size_t used = match_word(text, weekday); used >= 3) return used;
  }
  for (const Zone& zone : kZones) {
    const std::size_t used = match_word(text, zone.name);
    if (used < 3 && used != zone.name.size()) continue;
    if (offset_ == kUnknown) offset_ = 60 * zone.hours;
    return used;
  }
  for (const std::string_view half : {std::string_view("PM"), std::string_view("AM")}) {
    if (match_word(text, half) != 2) continue;
    tm_.tm_hour = tm_.tm_hour % 12 + (half == "PM" ? 12 : 0);
    return 2;
  }
  std::size_t length = 1;
  while (is_alpha(text[length])) ++length;
  return length;
}

bool DateParser::set_date(int year, int month, int day, const std::tm* now_tm, std::time_t now) {
  if (month <= 0 || month >= 13 || day <= 0 || day >= 32) return false;
  std::tm wanted = tm_;
  wanted.tm_mon = month - 1;
  wanted.tm_mday = day;
  if (year == kUnknown) {
    if (now_tm != nullptr) wanted.tm_year = now_tm->tm_year;
  } else if (year >= 1970 && year < 2100) {
    wanted.tm_year = year - 1900;
  } else if (year > 70 && year < 100) {
    wanted.tm_year = year;
  } else if (year < 38) {
    wanted.tm_year = year + 100;
  } else {
    // What was understood of month and day stays, as in git.
    if (now_tm == nullptr) tm_ = wanted;
    return false;
  }
  if (now_tm != nullptr) {
    // An ambiguous series that lies more than ten days ahead was meant otherwise.
    const auto seconds = seconds_of(wanted);
    if (seconds && now + kTenDays < *seconds) return false;
    if (year == kUnknown) wanted.tm_year = tm_.tm_year;
  }
  tm_ = wanted;
  return true;
}

bool DateParser::set_time(std::intmax_t hour, std::intmax_t minute, std::intmax_t second) {
  // The 61st second is a leap second.
  if (hour < 0 || hour > 24 || minute < 0 || minute >= 60 || second < 0 || second > 60)
    return false;
  tm_.tm_hour = static_cast<int>(hour);
  tm_.tm_min = static_cast<int>(minute);
  tm_.tm_sec = static_cast<int>(second);
  return true;
}

bool DateParser::take_date_series(char separator, int first, int second, int third) {
  const std::time_t now = std::time(nullptr);
  std::tm now_tm{};
  const std::tm* present = gmtime_r(&now, &now_tm);
  // year-month-day, then year-day-month
  if (first > 70 && (set_date(first, second, third, nullptr, now) ||
                     set_date(first, third, second, nullptr, now))) {
    return true;
  }
  // month/day/year, unless dots say that it is day.month.year
  const bool month_first = separator != '.';
  if (month_first && set_date(third, first, second, present, now)) return true;
  if (set_date(third, second, first, present, now)) return true;
  return !month_first && set_date(third, first, second, present, now);
}

/// "12:34[:56[.78]]" or "2006-01-02" or so, of which the first number is read already.
std::size_t DateParser::take_series(const char* text, const char* separator, std::uintmax_t first) {
  char* end = nullptr;
  const long second = std::strtol(separator + 1, &end, 10);
  long third = kUnknown;
  if (*end == *separator && is_digit(end[1])) third = std::strtol(end + 1, &end, 10);
  bool taken = false;
  if (*separator == ':') {
    taken = set_time(static_cast<std::intmax_t>(first), second, third < 0 ? 0 : third);
    const bool fraction = *end == '.' && is_digit(end[1]);
    if (taken && fraction && date_known()) end += 1 + count_digits(end + 1);
  } else {
    taken = take_date_series(*separator, static_cast<int>(first), static_cast<int>(second),
                             static_cast<int>(third));
  }
  return taken ? static_cast<std::size_t>(end - text) : 0;
}

std::size_t DateParser::take_number(const char* text) {
  char* end = nullptr;
  const std::uintmax_t number = std::strtoumax(text, &end, 10);
  // Eight digits can be YYYYMMDD; more are seconds.
  constexpr std::uintmax_t kLeastSeconds = 100000000;
  if (number >= kLeastSeconds && nothing_known()) {
    const auto seconds = static_cast<std::time_t>(number);
    if (gmtime_r(&seconds, &tm_) != nullptr) {
      is_utc_ = true;
      return static_cast<std::size_t>(end - text);
    }
  }
  const bool separated = *end == ':' || *end == '.' || *end == '/' || *end == '-';
  if (separated && is_digit(end[1])) {
    if (const std::size_t used = take_series(text, end, number); used > 0) return used;
  }
  const std::size_t digits = count_digits(text);
  if (digits == 8 || digits == 6) {
    const auto first = static_cast<int>(number / 10000);
    const auto second = static_cast<int>(number / 100 % 100);
    const auto third = static_cast<int>(number % 100);
    if (digits == 8) {
      set_date(first, second, third, nullptr, std::time(nullptr));
    } else if (set_time(first, second, third) && *end == '.' && is_digit(end[1])) {
      end += 1 + count_digits(end + 1);
    }
    return static_cast<std::size_t>(end - text);
  }
  if (digits == 4) take_year_or_offset(number);
  if (digits <= 2) take_day_month_or_year(number, digits);
  return digits;
}

/// Four digits: an offset without its sign, else a year.
void DateParser::take_year_or_offset(std::uintmax_t number) {
  const auto value = static_cast<int>(number);
  if (value <= 1400 && offset_ == kUnknown) {
    offset_ = value / 100 * 60 + value % 100;
  } else if (value > 1900 && value < 2100) {
    tm_.tm_year = value - 1900;
  }
}

/// One or two digits are a day first, then a year, then a month: "01 Apr 05" is 2005-04-01.
void DateParser::take_day_month_or_year(std::uintmax_t number, std::size_t digits) {
  const auto value = static_cast<int>(number);
  if (value > 0 && value < 32 && tm_.tm_mday < 0) {
    tm_.tm_mday = value;
    return;
  }
  if (digits == 2 && tm_.tm_year < 0) {
    if (value < 10 && tm_.tm_mday >= 0) {
      tm_.tm_year = value + 100;
      return;
    }
    if (value >= 70) {
      tm_.tm_year = value;
      return;
    }
  }
  if (value > 0 && value < 13 && tm_.tm_mon < 0) tm_.tm_mon = value - 1;
}

/// "+hhmm", "+hh" or "+hh:mm"; anything else is passed over.
std::size_t DateParser::take_offset(const char* text) {
  const char* digits = text + 1;
  char* end = nullptr;
  auto hours = static_cast<int>(std::strtoul(digits, &end, 10));
  int minutes = 0;
  bool usable = true;
  if (end - digits == 4) {
    minutes = hours % 100;
    hours /= 100;
  } else if (end - digits != 2) {
    usable = false;
  } else if (*end == ':') {
    minutes = static_cast<int>(std::strtoul(end + 1, &end, 10));
    usable = end - digits == 5;
  }
  if (usable && minutes < 60 && hours < 24) {
    offset_ = (hours * 60 + minutes) * (*text == '-' ? -1 : 1);
  }
  return static_cast<std::size_t>(end - text);
}

std::optional<Date> DateParser::result() {
  const auto seconds = seconds_of(tm_);
  if (!seconds) return std::nullopt;
  Date date{*seconds, offset_};
  if (offset_ == kUnknown) {
    std::tm local = tm_;
    local.tm_isdst = kUnknown;
    date.offset_minutes = static_cast<int>((*seconds - std::mktime(&local)) / 60);
  }
  if (!is_utc_) date.seconds -= std::int64_t{date.offset_minutes} * 60;
  return date;
}

/// "<seconds> <+hhmm>" and nothing else, as in a commit object.
std::optional<Date> parse_header_date(const char* text) {
  if (!is_digit(*text)) return std::nullopt;
  char* end = nullptr;
  const std::uintmax_t seconds = std::strtoumax(text, &end, 10);
  if (*end != ' ' || (end[1] != '+' && end[1] != '-')) return std::nullopt;
  if (seconds > static_cast<std::uintmax_t>(INT64_MAX)) return std::nullopt;
  const char* digits = end + 2;
  const long zone = std::strtol(digits, &end, 10);
  if ((*end != '\0' && *end != '\n') || end != digits + 4) return std::nullopt;
  const long minutes = zone / 100 * 60 + zone % 100;
  return Date{static_cast<std::int64_t>(seconds),
              static_cast<int>(digits[-1] == '-' ? -minutes : minutes)};
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  const std::string terminated(text);
  if (!terminated.empty() && terminated.front() == '@') {
    if (const auto date = parse_header_date(terminated.c_str() + 1)) return date;
  }
  return DateParser().parse(terminated.c_str());
}

}  // namespace wafers::git
