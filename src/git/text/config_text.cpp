#include "git/text/config_text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "git/text/ascii.h"

namespace wafers::git {
namespace {

/// Reads as git does (config.c: git_parse_source): a CR before an LF doesn't count, and the end of
/// the text is that of a line.
class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : text_(without_byte_order_mark(text)) {}

  std::vector<Setting> read() {
    while (!at_end()) {
      const char c = take();
      if (is_space(c)) continue;
      if (c == '#' || c == ';') {
        skip_line();
      } else if (c == '[') {
        section_ = take_section() + ".";
      } else {
        require(is_alpha(c));
        settings_.push_back(take_setting(c));
      }
    }
    return std::move(settings_);
  }

 private:
  static bool is_key(char c) { return is_alnum(c) || c == '-'; }

  bool at_end() const { return at_ >= text_.size(); }

  /// An LF at the end of the text. There is no NUL in one.
  char take() {
    if (text_.substr(at_, 2) == "\r\n") ++at_;
    const char c = at_end() ? '\n' : text_[at_++];
    require(c != '\0');
    return c;
  }

  void require(bool well_formed) const {
    if (well_formed) return;
    const std::string_view before = text_.substr(0, std::max<std::size_t>(at_, 1) - 1);
    const auto line = std::ranges::count(before, '\n') + 1;
    throw Error(ErrorKind::failed, "bad config line " + std::to_string(line));
  }

  void skip_line() {
    while (take() != '\n') {
    }
  }

  /// From behind the '[' to behind the ']': `section`, `section.sub` or `section "sub"`.
  std::string take_section() {
    std::string section;
    for (char c = take(); c != ']'; c = take()) {
      if (is_space(c)) return section + "." + take_subsection(c);
      require(is_key(c) || c == '.');
      section += to_lower(c);
    }
    require(!section.empty());
    return section;
  }

  /// `blank` is the first one before it.
  std::string take_subsection(char blank) {
    char c = blank;
    for (; is_space(c); c = take()) require(c != '\n');
    require(c == '"');
    std::string name;
    for (c = take(); c != '"'; c = take()) {
      if (c == '\\') c = take();
      require(c != '\n');
      name += c;
    }
    require(take() == ']');
    return name;
  }

  Setting take_setting(char first) {
    Setting setting{section_ + to_lower(first), std::nullopt};
    char c = take();
    for (; is_key(c); c = take()) setting.key += to_lower(c);
    while (c == ' ' || c == '\t') c = take();
    if (c == '\n') return setting;
    require(c == '=');
    setting.value = take_value();
    return setting;
  }

  /// To the end of its line. Blanks count between words and in quotes.
  std::string take_value() {
    std::string value;
    std::string blanks;
    bool quoted = false;
    for (char c = take(); c != '\n'; c = take()) {
      if (!quoted && is_space(c)) {
        if (!value.empty()) blanks += c;
        continue;
      }
      if (!quoted && (c == ';' || c == '#')) {
        skip_line();
        return value;
      }
      value += blanks;
      blanks.clear();
      if (c == '"') {
        quoted = !quoted;
      } else if (c != '\\') {
        value += c;
      } else if (const auto meant = take_escape()) {
        value += *meant;
      }
    }
    require(!quoted);
    return value;
  }

  /// Behind a '\\': nothing where the line goes on in the next one.
  std::optional<char> take_escape() {
    constexpr std::string_view kLetters = "tbn\\\"";
    constexpr std::string_view kMeanings = "\t\b\n\\\"";
    const char c = take();
    if (c == '\n') return std::nullopt;
    const std::size_t at = kLetters.find(c);
    require(at != std::string_view::npos);
    return kMeanings[at];
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string section_;
  std::vector<Setting> settings_;
};

}  // namespace

std::vector<Setting> parse_config_text(std::string_view text) { return ConfigReader(text).read(); }

std::optional<bool> parse_bool(const std::optional<std::string>& value) {
  if (!value) return true;
  const std::string text = lower_case(*value);
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text.empty() || text == "false" || text == "no" || text == "off") return false;
  std::string_view digits = text;
  if (digits.size() > 1 && std::string_view("kmg").find(digits.back()) != std::string_view::npos) {
    digits.remove_suffix(1);
  }
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number != 0;
}

}  // namespace wafers::git
