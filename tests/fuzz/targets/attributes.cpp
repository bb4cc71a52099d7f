// Attributes files: those of two directories and those from outside of the worktree.
#include "git/text/attributes.h"

#include <memory>
#include <string>

#include "base/text.h"
#include "target.h"

namespace {

using wafers::fuzz::require;
using wafers::git::Attributes;
using wafers::git::AttributeScope;
using wafers::git::AttributeValue;
using wafers::git::LetterCase;
using Scope = std::shared_ptr<const AttributeScope>;

struct Rules {
  std::string root, below, info, global;
};

/// Of the file "a/b/name"; a '~' before it lets letter case not count.
Attributes attributes_of(std::string_view path, const Rules& rules) {
  const bool fold = path.starts_with('~');
  if (fold) path.remove_prefix(1);
  Scope scope = AttributeScope::root(rules.global, rules.info, rules.root,
                                     fold ? LetterCase::ignored : LetterCase::sensitive);
  std::vector<std::string> names = wafers::split(path, '/');
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    scope = AttributeScope::child(scope, names[i], i == 0 ? rules.below : std::string());
  }
  Attributes attributes = scope->of_file(names.back());
  require(attributes.empty() || !scope->empty(), "there is no attribute without a rule");
  return attributes;
}

void check_names(const Attributes& attributes) {
  for (const auto& [name, value] : attributes) {
    require(!name.empty() && name.front() != '-', "a name is one");
    for (const char c : name) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      require(letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_',
              "a name has no other characters");
    }
    require(value.text.empty() || value.state == AttributeValue::State::value, "a value is one");
    require(value.text.find_first_of(" \t\r\n") == std::string::npos, "a value is one word");
  }
}

/// A mark at the beginning of a file is one only there.
bool has_mark(const std::string& text) { return text.starts_with("\xEF\xBB\xBF"); }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = wafers::fuzz::parts(wafers::fuzz::as_text(data, size), 5);
  const std::string_view path = parts[0].substr(0, parts[0].find('\0'));
  const Rules rules{std::string(parts[1]), std::string(parts[2]), std::string(parts[3]),
                    std::string(parts[4])};
  const Attributes attributes = attributes_of(path, rules);
  check_names(attributes);

  Rules more = rules;
  for (std::string* file : {&more.root, &more.below, &more.info, &more.global}) {
    if (!has_mark(*file)) *file += "\n# the same once more\n" + *file;
  }
  require(attributes_of(path, more) == attributes, "rules that are repeated say the same");
  return 0;
}
