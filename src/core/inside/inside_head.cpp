#include "core/inside/inside_head.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "core/inside/git_dir.h"
#include "git/refs/head.h"
#include "git/refs/repository_text.h"

namespace wafers {
namespace {

/// wt-status.c: wt_status_get_state(); rebase-apply is of git am as well.
std::string unfinished_in(const GitDir& directory) {
  constexpr std::array<std::pair<const char*, const char*>, 6> kMarks{{
      {"rebase-merge", "rebase"},
      {"MERGE_HEAD", "merge"},
      {"CHERRY_PICK_HEAD", "cherry-pick"},
      {"REVERT_HEAD", "revert"},
      {"BISECT_START", "bisect"},
      {"sequencer", "cherry-pick"},
  }};
  if (directory.has("rebase-apply")) {
    return directory.has("rebase-apply/applying") ? "am" : "rebase";
  }
  for (const auto& [name, operation] : kMarks) {
    if (directory.has(name)) return operation;
  }
  return {};
}

}  // namespace

std::string InsideHead::described() const {
  constexpr std::string_view kHeads = "refs/heads/";
  constexpr std::size_t kShortId = 7;
  if (ref.empty()) return commit.substr(0, kShortId) + ", on no branch";
  return ref.starts_with(kHeads) ? "branch " + in_quotes(ref.substr(kHeads.size()))
                                 : in_quotes(ref);
}

std::optional<InsideHead> inside_head(const Wafer& wafer) {
  const auto directory = GitDir::find(wafer.git_dir);
  const auto content = directory ? directory->small_file(git::kHead) : std::nullopt;
  const auto value = content ? git::parse_ref(*content) : std::nullopt;
  if (!value) return std::nullopt;
  InsideHead head;
  head.ref = value->target;
  if (head.ref.empty()) head.commit = value->oid.hex();
  head.unfinished = unfinished_in(*directory);
  return head;
}

}  // namespace wafers
