// Ignore files: those of two directories and those from outside of the worktree.
#include "git/text/ignore.h"

#include <memory>
#include <string>

#include "base/text.h"
#include "target.h"

namespace {

using wafers::fuzz::require;
using wafers::git::IgnoreScope;
using wafers::git::LetterCase;
using Scope = std::shared_ptr<const IgnoreScope>;

/// "a/b/name" is asked for; a '~' before it lets letter case not count, a '/' behind it means a
/// directory.
struct Question {
  explicit Question(std::string_view text) {
    if (text.starts_with('~')) {
      letters = LetterCase::ignored;
      text.remove_prefix(1);
    }
    if (text.ends_with('/')) {
      is_directory = true;
      text.remove_suffix(1);
    }
    directories = wafers::split(text, '/');
    name = directories.back();
    directories.pop_back();
  }

  std::vector<std::string> directories;
  std::string name;
  LetterCase letters = LetterCase::sensitive;
  bool is_directory = false;
};

struct Rules {
  std::string root{}, below{}, info_exclude{}, excludes_file{};
};

bool answer(const Question& question, const Rules& rules) {
  Scope scope =
      IgnoreScope::root(rules.excludes_file, rules.info_exclude, rules.root, question.letters);
  bool first = true;
  for (const std::string& directory : question.directories) {
    const bool ignored = scope->is_ignored(directory, true);
    scope = IgnoreScope::child(scope, directory, first ? rules.below : std::string());
    require(scope->all_ignored() == ignored, "what is in an ignored directory is ignored");
    first = false;
  }
  const bool ignored = scope->is_ignored(question.name, question.is_directory);
  require(ignored || !scope->all_ignored(), "and so is the name");
  return ignored;
}

/// A mark at the beginning of a file is one only there.
bool has_mark(const std::string& text) { return text.starts_with("\xEF\xBB\xBF"); }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = wafers::fuzz::parts(wafers::fuzz::as_text(data, size), 5);
  const Question question(parts[0].substr(0, parts[0].find('\0')));
  const Rules rules{std::string(parts[1]), std::string(parts[2]), std::string(parts[3]),
                    std::string(parts[4])};
  const bool ignored = answer(question, rules);

  Rules more = rules;
  for (std::string* file : {&more.root, &more.below, &more.info_exclude, &more.excludes_file}) {
    if (!has_mark(*file)) *file += "\n# the same once more\n" + *file;
  }
  require(answer(question, more) == ignored, "rules that are repeated say the same");

  for (const std::string* file : {&rules.root, &rules.below}) {
    require(wafers::git::ignores_no_less(*file, *file), "a file ignores what it ignores");
  }
  if (wafers::git::ignores_no_less(rules.root, rules.below)) {
    const bool before = answer(question, {.root = rules.root});
    require(!before || answer(question, {.root = rules.below}), "no less is ignored");
  }
  return 0;
}
