#include "git/text/ignore.h"

#include <algorithm>
#include <cstddef>

#include "base/utf8.h"
#include "git/text/path_pattern.h"

namespace wafers::git {
namespace {

/// `line` up to its trailing blanks; an escaped one stays, with its backslash. After a backslash at
/// the very end nothing is taken off.
std::string_view without_trailing_blanks(std::string_view line) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') continue;
    if (line[i] == '\\' && ++i == line.size()) return line;
    length = i + 1;
  }
  return line.substr(0, length);
}

/// The lines that are no comments, as they are written; a byte order mark is no part of the first.
std::vector<std::string_view> patterns_in(std::string_view rules) {
  rules = without_byte_order_mark(rules);
  std::vector<std::string_view> patterns;
  while (true) {
    rules.remove_prefix(std::min(rules.find_first_not_of('\n'), rules.size()));
    if (rules.empty()) break;
    const std::string_view line = rules.substr(0, rules.find('\n'));
    if (line.front() != '#') patterns.push_back(line);
    rules.remove_prefix(line.size());
  }
  return patterns;
}

}  // namespace

struct IgnoreScope::PatternList {
  std::vector<PathPattern> patterns;

  static std::shared_ptr<const PatternList> parse(std::string_view content, LetterCase letters);
};

/// Reads as git does (dir.c: add_patterns_from_buffer): one CR before the LF goes, and what is left
/// of a line after a NUL is not seen.
std::shared_ptr<const IgnoreScope::PatternList> IgnoreScope::PatternList::parse(
    std::string_view content, LetterCase letters) {
  if (content.empty()) return nullptr;
  auto list = std::make_shared<PatternList>();
  const std::vector<std::string_view> lines = patterns_in(content);
  list->patterns.reserve(lines.size());
  for (std::string_view line : lines) {
    if (line.back() == '\r') line.remove_suffix(1);
    line = line.substr(0, line.find('\0'));
    list->patterns.emplace_back(without_trailing_blanks(line), letters);
  }
  return list;
}

std::shared_ptr<const IgnoreScope> IgnoreScope::root(std::string_view excludes_file,
                                                     std::string_view info_exclude,
                                                     std::string_view gitignore,
                                                     LetterCase letters) {
  const std::shared_ptr<IgnoreScope> scope(new IgnoreScope);
  scope->letters_ = letters;
  scope->own_ = PatternList::parse(gitignore, letters);
  for (const std::string_view content : {info_exclude, excludes_file}) {
    if (auto list = PatternList::parse(content, letters)) scope->global_.push_back(std::move(list));
  }
  return scope;
}

std::shared_ptr<const IgnoreScope> IgnoreScope::child(
    const std::shared_ptr<const IgnoreScope>& parent, std::string_view name,
    std::string_view gitignore) {
  const std::shared_ptr<IgnoreScope> scope(new IgnoreScope);
  scope->parent_ = parent;
  scope->letters_ = parent->letters_;
  scope->path_ = parent->path_ + std::string(name) + "/";
  scope->all_ignored_ = parent->is_ignored(name, true);
  if (!scope->all_ignored_) scope->own_ = PatternList::parse(gitignore, parent->letters_);
  return scope;
}

IgnoreScope::Verdict IgnoreScope::verdict(const PatternList& list, std::string_view path,
                                          std::string_view name, bool is_directory) {
  for (auto pattern = list.patterns.rbegin(); pattern != list.patterns.rend(); ++pattern) {
    if (pattern->directory_only() && !is_directory) continue;
    if (!pattern->matches(path, name)) continue;
    return pattern->negative() ? Verdict::included : Verdict::ignored;
  }
  return Verdict::undecided;
}

bool IgnoreScope::is_ignored(std::string_view name, bool is_directory) const {
  if (all_ignored_) return true;
  const std::string path = path_ + std::string(name);
  const IgnoreScope* scope = this;
  for (;; scope = scope->parent_.get()) {
    if (scope->own_) {
      const std::string_view below = std::string_view(path).substr(scope->path_.size());
      const Verdict found = verdict(*scope->own_, below, name, is_directory);
      if (found != Verdict::undecided) return found == Verdict::ignored;
    }
    if (!scope->parent_) break;
  }
  for (const auto& list : scope->global_) {
    const Verdict found = verdict(*list, path, name, is_directory);
    if (found != Verdict::undecided) return found == Verdict::ignored;
  }
  return false;
}

bool ignores_no_less(std::string_view before, std::string_view after) {
  const std::vector<std::string_view> kept = patterns_in(before);
  auto next = kept.begin();
  for (const std::string_view pattern : patterns_in(after)) {
    if (next != kept.end() && *next == pattern) {
      ++next;
    } else if (pattern.starts_with('!')) {
      return false;
    }
  }
  return next == kept.end();
}

}  // namespace wafers::git
