#include "core/commands/base_check.h"

#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

constexpr std::size_t kShown = 5;

void refuse_dirty(const git::Repository& base, const git::Oid& head,
                  const git::CleanReport& report) {
  if (report.clean()) return;
  throw Error(
      ErrorKind::refused,
      "the base " + in_quotes(base.worktree().native()) +
          " is not clean:" + indented(report.first_dirty),
      "commit or stash the changes, say --with-changes to take them along, or --assume-clean "
      "to have them in the view as if they were part of " +
          base.short_id(head));
}

void refuse_unmerged(const git::Repository& base, const std::vector<std::string>& unmerged) {
  if (unmerged.empty()) return;
  throw Error(ErrorKind::refused,
              "the base " + in_quotes(base.worktree().native()) +
                  " has conflicts:" + indented(unmerged, kShown),
              "resolve them and 'git add' the files, or abort the merge");
}

/// That all of a base is the caller's. chown(1) of a directory alone writes no index, but what is
/// missed then is a warning; that of a file git sees each time.
std::string all_own() {
  return "own-" + std::to_string(::geteuid()) + "-" + std::to_string(::getegid());
}

}  // namespace

BaseCheck::BaseCheck(std::filesystem::path state_root)
    : state_root_(std::move(state_root)), scratch_(state_root_, kCheckPrefix) {}

void BaseCheck::look(const git::Repository& base, const git::Oid& head, Owners owners,
                     Changes changes) {
  git::PrivateIndex& index =
      index_.emplace(base, scratch_.path() / "index", state_root_ / kCheckedIndexes);
  const bool wanted = owners == Owners::looked_at;
  std::optional<git::IndexView> names;
  if (wanted && !index.knows(all_own())) names = index.open();
  const auto meanwhile = [&] {
    if (names) of_others_ = git::directories_of_others(*names, base.worktree());
  };
  if (changes == Changes::listed) {
    changes_ = git::list_changes(base, index, meanwhile);
    refuse_unmerged(base, changes_.unmerged);
    warnings_ = changes_.warnings;
  } else {
    git::CleanReport report = git::check_clean(base, index, kShown, meanwhile);
    if (changes == Changes::refused) refuse_dirty(base, head, report);
    shown_ = std::move(report.first_dirty);
    warnings_ = std::move(report.warnings);
  }
  if (names || (wanted && index.is_refreshed())) {
    of_others_ = git::files_of_others(index.open(), base.worktree(), of_others_);
    if (of_others_.empty()) index.learn(all_own());
  }
  if (changes != Changes::shown && base.head_commit() != head) {
    throw Error(ErrorKind::failed, "the base's HEAD moved while it was checked", "try again");
  }
}

}  // namespace wafers
