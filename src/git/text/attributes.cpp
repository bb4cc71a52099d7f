#include "git/text/attributes.h"

#include <cstdint>
#include <optional>
#include <set>
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
  const std::string* name = nullptr;
  const std::optional<AttributeValue>* value = nullptr;
};

/// Owns what all rules of one directory say. A hostile file has millions of states, of few names
/// and values: each is kept once, and so are the states of equal lines in a row.
class States {
 public:
  /// Indices of states; one after the other, since none goes away.
  struct Range {
    std::uint32_t first = 0, count = 0;
    bool operator==(const Range&) const = default;
  };

  /// nullopt where a name is bad: then git drops the whole line.
  std::optional<Range> add(std::string_view text);
  const State& operator[](std::size_t index) const { return all_[index]; }

 private:
  std::optional<State> parse(std::string_view word);

  struct Less {
    bool operator()(const std::optional<AttributeValue>& a,
                    const std::optional<AttributeValue>& b) const {
      const auto key = [](const std::optional<AttributeValue>& value) {
        return value ? std::pair(static_cast<int>(value->state), std::string_view(value->text))
                     : std::pair(-1, std::string_view());
      };
      return key(a) < key(b);
    }
  };
  std::vector<State> all_;
  std::set<std::string, std::less<>> names_;
  std::set<std::optional<AttributeValue>, Less> values_;
  std::string last_text_;
  std::optional<Range> last_;
};

struct Rule {
  PathPattern pattern;
  States::Range states;
};

struct Macro {
  std::string name;
  States::Range states;
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
std::optional<State> States::parse(std::string_view word) {
  const char mark = word.front();
  const std::size_t equals = word.find('=');
  std::string_view name = word.substr(0, equals);
  if (mark == '-' || mark == '!') name.remove_prefix(1);
  if (!is_valid_name(name)) return std::nullopt;
  std::optional<AttributeValue> value;
  if (mark == '-') {
    value = AttributeValue{AttributeValue::State::unset, {}};
  } else if (mark != '!' && equals != std::string_view::npos) {
    value = AttributeValue{AttributeValue::State::value, std::string(word.substr(equals + 1))};
  } else if (mark != '!') {
    value.emplace();
  }
  auto known = names_.find(name);
  if (known == names_.end()) known = names_.emplace(name).first;
  return State{&*known, &*values_.insert(std::move(value)).first};
}

std::optional<States::Range> States::add(std::string_view text) {
  if (last_ && text == last_text_) return last_;
  last_text_ = text;
  last_.reset();
  const auto first = static_cast<std::uint32_t>(all_.size());
  while (!text.empty()) {
    const auto state = parse(take_word(text));
    if (!state) {
      all_.resize(first);
      return std::nullopt;
    }
    all_.push_back(*state);
  }
  last_ = {first, static_cast<std::uint32_t>(all_.size()) - first};
  return last_;
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

void parse_line(std::string_view line, Macros macros, LetterCase letters, States& all,
                ParsedFile& file) {
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
  const auto states = all.add(rest);
  if (!states) return;

  if (name.size() > kMacroPrefix.size() && name.starts_with(kMacroPrefix)) {
    std::string_view macro = skip_blanks(std::string_view(name).substr(kMacroPrefix.size()));
    macro = take_word(macro);
    if (macros == Macros::refused || !is_valid_name(macro)) return;
    file.macros.push_back({std::string(macro), *states});
    return;
  }
  PathPattern pattern(name, letters);
  // Git warns of negative patterns and drops them. One for directories never matches: git asks for
  // the attributes of files alone.
  if (pattern.negative() || pattern.directory_only()) return;
  file.rules.push_back({std::move(pattern), *states});
}

/// Those that aren't empty.
std::size_t lines_in(std::string_view content) {
  std::size_t count = 0;
  char previous = '\n';
  for (const char c : content) {
    if (previous == '\n' && c != '\n') ++count;
    previous = c;
  }
  return count;
}

ParsedFile parse_file(std::string_view content, Macros macros, LetterCase letters, States& all) {
  ParsedFile file;
  if (content.size() >= kMaxFileSize) return file;
  content = without_byte_order_mark(content);
  file.rules.reserve(lines_in(content));
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    parse_line(line, macros, letters, all, file);
  }
  return file;
}

using MacroTable = std::map<std::string, States::Range, std::less<>>;

/// The attributes of one file while rules are applied, strongest first: what is decided stays.
class Resolver {
 public:
  /// `states`: those that the macros are made of.
  Resolver(const MacroTable& macros, const States& states)
      : macros_(macros), macro_states_(states) {}

  void apply(const std::vector<Rule>& rules, const States& states, std::string_view path,
             std::string_view name) {
    States::Range applied;
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
      if (rule->states == applied || !rule->pattern.matches(path, name)) continue;
      apply(states, rule->states);
      applied = rule->states;
    }
  }

  Attributes result() && {
    Attributes attributes;
    for (const auto& [name, value] : decided_) {
      if (*value) attributes.emplace(name, **value);
    }
    return attributes;
  }

 private:
  /// With a stack of its own: macros lie in each other as deep as their author likes.
  void apply(const States& states, States::Range range) {
    left_.push_back({&states, range});
    while (!left_.empty()) {
      Left& last = left_.back();
      if (last.range.count == 0) {
        left_.pop_back();
        continue;
      }
      const State& state = (*last.states)[last.range.first + --last.range.count];
      const std::optional<AttributeValue>& value = *state.value;
      if (!decided_.try_emplace(*state.name, state.value).second) continue;
      if (!value || value->state != AttributeValue::State::set) continue;
      if (const auto macro = macros_.find(*state.name); macro != macros_.end()) {
        left_.push_back({&macro_states_, macro->second});
      }
    }
  }

  struct Left {
    const States* states = nullptr;
    States::Range range;
  };
  const MacroTable& macros_;
  const States& macro_states_;
  std::map<std::string_view, const std::optional<AttributeValue>*> decided_;
  std::vector<Left> left_;  ///< of each macro that is being applied
};

/// Of several definitions the last one in the strongest file holds.
void add_macros(const std::vector<Macro>& macros, MacroTable& table) {
  for (const Macro& macro : macros) table.insert_or_assign(macro.name, macro.states);
}

}  // namespace

struct AttributeScope::Data {
  std::string path;  ///< from the root with a trailing '/', "" for the root
  LetterCase letters = LetterCase::sensitive;
  States states;  ///< of all rules here, and of the macros
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
    ParsedFile file = parse_file(content, Macros::allowed, letters, data->states);
    rules = std::move(file.rules);
    add_macros(file.macros, data->macros);
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
  data->own = parse_file(gitattributes, Macros::refused, data->letters, data->states).rules;
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
  const Data& top = *root->data_;
  Resolver resolver(top.macros, top.states);
  resolver.apply(top.info, top.states, path, name);
  for (const AttributeScope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
    const Data& data = *scope->data_;
    resolver.apply(data.own, data.states, std::string_view(path).substr(data.path.size()), name);
  }
  resolver.apply(top.global, top.states, path, name);
  return std::move(resolver).result();
}

bool AttributeScope::empty() const noexcept { return data_->empty; }

}  // namespace wafers::git
