#include "git/text/attributes.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "git/text/ascii.h"
#include "git/text/path_pattern.h"

namespace wafers::git {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kMacroPrefix = "[attr]";
/// attr.h: ATTR_MAX_LINE_LENGTH; longer lines are not looked at.
constexpr std::size_t kMaxLineLength = 2048;
/// attr.h: ATTR_MAX_FILE_SIZE; larger files aren't either.
constexpr std::size_t kMaxFileSize = std::size_t{100} << 20U;

/// What one rule says of one attribute; no value means `!name`.
struct State {
  std::string name;
  std::optional<AttributeValue> value;
};

struct Rule {
  PathPattern pattern;
  std::vector<State> states;
};

struct Macro {
  std::string name;
  std::vector<State> states;
};

struct ParsedFile {
  std::vector<Rule> rules;
  std::vector<Macro> macros;
};

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.front() == '-') return false;
  for (const char c : name) {
    if (!is_alnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

std::string_view skip_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

/// Takes a word and the blanks after it off `text`.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text = skip_blanks(text.substr(word.size()));
  return word;
}

/// `name`, `-name`, `!name` or `name=value`.
std::optional<State> parse_state(std::string_view word) {
  const char mark = word.front();
  const std::size_t equals = word.find('=');
  const bool marked = mark == '-' || mark == '!';
  State state;
  state.name = word.substr(0, equals);
  if (marked) state.name.erase(0, 1);
  if (!is_valid_name(state.name)) return std::nullopt;
  if (mark == '!') return state;
  state.value.emplace();
  if (mark == '-') {
    state.value->state = AttributeValue::State::unset;
  } else if (equals != std::string_view::npos) {
    state.value->state = AttributeValue::State::value;
    state.value->text = word.substr(equals + 1);
  }
  return state;
}

/// One bad name, and git drops the whole line.
std::optional<std::vector<State>> parse_states(std::string_view text) {
  std::vector<State> states;
  while (!text.empty()) {
    auto state = parse_state(take_word(text));
    if (!state) return std::nullopt;
    states.push_back(std::move(*state));
  }
  return states;
}

/// Takes a string in double quotes with C escapes off `text` (quote.c: unquote_c_style). nullopt,
/// and `text` as it was, where it isn't one.
std::optional<std::string> take_quoted(std::string_view& text) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  std::string out;
  std::size_t i = 1;
  while (i < text.size() && text[i] != '"') {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const std::string_view escape = text.substr(i + 1, 3);
    if (escape.empty()) return std::nullopt;
    if (const std::size_t at = kLetters.find(escape.front()); at != std::string_view::npos) {
      out += kMeanings[at];
      i += 2;
      continue;
    }
    const bool octal = escape.size() == 3 && escape[0] >= '0' && escape[0] <= '3' &&
                       escape.find_first_not_of("01234567") == std::string_view::npos;
    if (!octal) return std::nullopt;
    out += static_cast<char>((escape[0] - '0') * 64 + (escape[1] - '0') * 8 + (escape[2] - '0'));
    i += 4;
  }
  if (i >= text.size()) return std::nullopt;
  text.remove_prefix(i + 1);
  return out;
}

enum class Macros { allowed, refused };

void parse_line(std::string_view line, Macros macros, LetterCase letters, ParsedFile& file) {
  line = line.substr(0, line.find('\0'));
  if (line.size() >= kMaxLineLength) return;
  std::string_view rest = skip_blanks(line);
  if (rest.empty() || rest.front() == '#') return;

  std::string name;
  std::optional<std::string> unquoted;
  if (rest.front() == '"') unquoted = take_quoted(rest);
  if (unquoted) {
    name = *unquoted;
    rest = skip_blanks(rest);
  } else {
    name = take_word(rest);
  }
  auto states = parse_states(rest);
  if (!states) return;

  if (name.size() > kMacroPrefix.size() && name.starts_with(kMacroPrefix)) {
    std::string_view macro = skip_blanks(std::string_view(name).substr(kMacroPrefix.size()));
    macro = take_word(macro);
    if (macros == Macros::refused || !is_valid_name(macro)) return;
    file.macros.push_back({std::string(macro), std::move(*states)});
    return;
  }
  PathPattern pattern(name, letters);
  // Git warns of negative patterns and drops them. One for directories never matches: git asks for
  // the attributes of files alone.
  if (pattern.negative() || pattern.directory_only()) return;
  file.rules.push_back({std::move(pattern), std::move(*states)});
}

ParsedFile parse_file(std::string_view content, Macros macros, LetterCase letters) {
  ParsedFile file;
  if (content.size() >= kMaxFileSize) return file;
  content = without_byte_order_mark(content);
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    parse_line(line, macros, letters, file);
  }
  return file;
}

using MacroTable = std::map<std::string, std::vector<State>, std::less<>>;

/// The attributes of one file while rules are applied, strongest first: what is decided stays.
class Resolver {
 public:
  explicit Resolver(const MacroTable& macros) : macros_(macros) {}

  void apply(const std::vector<Rule>& rules, std::string_view path, std::string_view name) {
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
      if (rule->pattern.matches(path, name)) apply(rule->states);
    }
  }

  Attributes result() && {
    Attributes attributes;
    for (auto& [name, value] : decided_) {
      if (value) attributes.emplace(name, std::move(*value));
    }
    return attributes;
  }

 private:
  /// With a stack of its own: macros lie in each other as deep as their author likes.
  void apply(const std::vector<State>& states) {
    left_.emplace_back(states);
    while (!left_.empty()) {
      if (left_.back().empty()) {
        left_.pop_back();
        continue;
      }
      const State& state = left_.back().back();
      left_.back() = left_.back().first(left_.back().size() - 1);
      if (!decided_.emplace(state.name, state.value).second) continue;
      if (!state.value || state.value->state != AttributeValue::State::set) continue;
      if (const auto macro = macros_.find(state.name); macro != macros_.end()) {
        left_.emplace_back(macro->second);
      }
    }
  }

  const MacroTable& macros_;
  std::map<std::string, std::optional<AttributeValue>, std::less<>> decided_;
  std::vector<std::span<const State>> left_;  ///< of each macro that is being applied
};

/// Of several definitions the last one in the strongest file holds.
void add_macros(std::vector<Macro> macros, MacroTable& table) {
  for (Macro& macro : macros) table.insert_or_assign(macro.name, std::move(macro.states));
}

}  // namespace

struct AttributeScope::Data {
  std::string path;  ///< from the root with a trailing '/', "" for the root
  LetterCase letters = LetterCase::sensitive;
  std::vector<Rule> own;
  bool empty = true;  ///< neither here nor above is a rule

  // Of the root alone.
  std::vector<Rule> info, global;
  MacroTable macros;
};

std::shared_ptr<const AttributeScope> AttributeScope::root(std::string_view attributes_file,
                                                           std::string_view info_attributes,
                                                           std::string_view gitattributes,
                                                           LetterCase letters) {
  auto data = std::make_shared<Data>();
  data->letters = letters;
  const auto take = [&](std::string_view content, std::vector<Rule>& rules) {
    ParsedFile file = parse_file(content, Macros::allowed, letters);
    rules = std::move(file.rules);
    add_macros(std::move(file.macros), data->macros);
  };
  std::vector<Rule> builtin;
  take("[attr]binary -diff -merge -text", builtin);
  take(attributes_file, data->global);
  take(gitattributes, data->own);
  take(info_attributes, data->info);
  data->empty = data->global.empty() && data->own.empty() && data->info.empty();

  const std::shared_ptr<AttributeScope> scope(new AttributeScope);
  scope->data_ = std::move(data);
  return scope;
}

std::shared_ptr<const AttributeScope> AttributeScope::child(
    const std::shared_ptr<const AttributeScope>& parent, std::string_view name,
    std::string_view gitattributes) {
  auto data = std::make_shared<Data>();
  data->letters = parent->data_->letters;
  data->path = parent->data_->path + std::string(name) + "/";
  data->own = parse_file(gitattributes, Macros::refused, data->letters).rules;
  data->empty = parent->data_->empty && data->own.empty();

  const std::shared_ptr<AttributeScope> scope(new AttributeScope);
  scope->parent_ = parent;
  scope->data_ = std::move(data);
  return scope;
}

Attributes AttributeScope::of_file(std::string_view name) const {
  if (empty()) return {};
  const AttributeScope* root = this;
  while (root->parent_) root = root->parent_.get();

  const std::string path = data_->path + std::string(name);
  Resolver resolver(root->data_->macros);
  resolver.apply(root->data_->info, path, name);
  for (const AttributeScope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
    const std::string_view below = std::string_view(path).substr(scope->data_->path.size());
    resolver.apply(scope->data_->own, below, name);
  }
  resolver.apply(root->data_->global, path, name);
  return std::move(resolver).result();
}

bool AttributeScope::empty() const noexcept { return data_->empty; }

}  // namespace wafers::git
