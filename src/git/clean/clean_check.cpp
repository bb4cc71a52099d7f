#include "git/clean/clean_check.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"
#include "os/deep_stack.h"

namespace wafers::git {
namespace {

enum class Refresh { yes, no };

/// Git refreshes the index that it is told of, and where it asks for their status those of all
/// submodules, which are not ours: so it is asked for either alone.
ProgramResult git_status(const Repository& repository, const PrivateIndex& index,
                         const std::vector<std::string>& form, Refresh refresh,
                         const std::function<void()>& meanwhile = {}) {
  const std::string worktree = repository.worktree().native();
  std::vector<std::string> arguments{"-c",
                                     "core.splitIndex=false",  // one half would be the base's
                                     "-c",
                                     "core.hooksPath=/dev/null",  // post-index-change
                                     "status",
                                     "--no-renames"};
  arguments.insert(arguments.end(), form.begin(), form.end());
  const bool yes = refresh == Refresh::yes;
  if (yes) arguments.emplace_back("--ignore-submodules=dirty");
  const DeepTreesForPrograms deep;
  return run_git(worktree, std::move(arguments),
                 {"GIT_DIR=" + repository.git_dir().native(), "GIT_WORK_TREE=" + worktree,
                  "GIT_INDEX_FILE=" + index.path().native(),
                  std::string("GIT_OPTIONAL_LOCKS=") + (yes ? "1" : "0"), "LANGUAGE=C"},
                 meanwhile);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines = split(text, '\n');
  lines.pop_back();  // what follows the last newline
  return lines;
}

/// Those of what may not be looked at in the worktree. Files of the user's own lie elsewhere.
bool is_of_worktree(std::string_view warning) {
  constexpr std::string_view kFile = "unable to access '";
  return warning.starts_with("could not open directory '") ||
         (warning.starts_with(kFile) && !warning.substr(kFile.size()).starts_with('/'));
}

std::vector<std::string> warnings_in(std::string_view errors) {
  constexpr std::string_view kWarning = "warning: ";
  std::vector<std::string> warnings;
  for (std::string& line : lines_of(errors)) {
    if (!line.starts_with(kWarning)) continue;
    line.erase(0, kWarning.size());
    if (!is_of_worktree(line)) continue;
    // As errors are named everywhere else.
    if (line.ends_with(": Permission denied")) line += " (EACCES)";
    warnings.push_back(std::move(line));
  }
  std::ranges::sort(warnings);
  // Not std::ranges::unique(): clang 14 can't compile what it returns.
  warnings.erase(std::unique(warnings.begin(), warnings.end()), warnings.end());
  return warnings;
}

/// Throws what is wrong with the repository's own index, where anything is.
void require_readable_index(const Repository& repository) {
  IndexView::open(repository.git_dir() / "index", IndexChecksum::trusted);
}

void require_success(const ProgramResult& result, const Repository& repository) {
  if (result.success()) return;
  require_readable_index(repository);
  const std::string said(trimmed(result.errors));
  throw Error(ErrorKind::failed, "git status failed in " +
                                     in_quotes(repository.worktree().native()) +
                                     (said.empty() ? " with status " + std::to_string(result.status)
                                                   : ": " + printable_lines(said)));
}

bool has_submodules(PrivateIndex& index) {
  constexpr const char* kNone = "no-submodules";
  if (index.knows(kNone)) return false;
  const bool has = std::ranges::any_of(index.open().entries(), [](const IndexRecord& record) {
    return record.mode() == FileMode::gitlink;
  });
  if (!has) index.learn(kNone);
  return has;
}

/// `git status` with the options `form`, which say how it is printed.
ProgramResult status_of(const Repository& repository, PrivateIndex& index,
                        const std::vector<std::string>& form,
                        const std::function<void()>& meanwhile) {
  ProgramResult status = git_status(repository, index, form, Refresh::yes, meanwhile);
  if (!status.success() && index.forget()) {
    status = git_status(repository, index, form, Refresh::yes);
  }
  require_success(status, repository);
  if (has_submodules(index)) {
    status = git_status(repository, index, form, Refresh::no);
    require_success(status, repository);
  }
  return status;
}

/// What follows the first `count` fields, each of which a space ends.
std::string after_fields(const std::string& entry, int count) {
  std::size_t at = 0;
  for (int i = 0; i < count; ++i) {
    at = entry.find(' ', at);
    if (at == std::string::npos) return {};
    ++at;
  }
  return entry.substr(at);
}

/// "1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>": of a repository where a mode says so.
bool is_gitlink(const std::string& entry) {
  const std::vector<std::string> fields = split(entry, ' ');
  return std::find(fields.begin() + 3, fields.begin() + 6, "160000") != fields.begin() + 6;
}

}  // namespace

CleanReport check_clean(const Repository& repository, PrivateIndex& index, std::size_t limit,
                        const std::function<void()>& meanwhile) {
  const ProgramResult status =
      status_of(repository, index, {"--porcelain", "--untracked-files=normal"}, meanwhile);
  std::vector<std::string> dirty = lines_of(status.output);
  dirty.resize(std::min(dirty.size(), limit));
  return {std::move(dirty), warnings_in(status.errors)};
}

WorktreeChanges list_changes(const Repository& repository, PrivateIndex& index,
                             const std::function<void()>& meanwhile) {
  constexpr int kFieldsOfChange = 8;
  constexpr int kFieldsOfConflict = 10;
  const ProgramResult status =
      status_of(repository, index, {"--porcelain=v2", "-z", "--untracked-files=all"}, meanwhile);
  WorktreeChanges changes;
  for (const std::string& entry : split(status.output, '\0')) {
    if (entry.starts_with("1 ")) {
      auto& list = is_gitlink(entry) ? changes.repositories : changes.paths;
      list.push_back(after_fields(entry, kFieldsOfChange));
    } else if (entry.starts_with("u ")) {
      changes.unmerged.push_back(after_fields(entry, kFieldsOfConflict));
    } else if (entry.starts_with("? ")) {
      auto& list = entry.ends_with('/') ? changes.repositories : changes.paths;
      list.push_back(entry.substr(2));
    }
  }
  std::ranges::sort(changes.paths);  // one that is staged as deleted may be there, untracked
  changes.paths.erase(std::unique(changes.paths.begin(), changes.paths.end()), changes.paths.end());
  changes.warnings = warnings_in(status.errors);
  return changes;
}

}  // namespace wafers::git
