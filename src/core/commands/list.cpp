#include "core/commands/list.h"

#include <cstddef>

#include "base/text.h"
#include "core/inside/inside_head.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "git/refs/head.h"
#include "git/text/quote.h"

namespace wafers {
namespace {

void mark_broken(MountState& state, const std::string& reason) {
  state.status = WaferStatus::broken;
  state.reason = reason;
}

/// Of git inside, which moves the branch as well.
std::string note_on_head(const Wafer& wafer) {
  const auto head = inside_head(wafer);
  if (!head) return {};
  std::string note;
  if (!head->is_on(wafer.branch)) note = "git inside is on " + head->described();
  if (head->unfinished.empty()) return note;
  return note + (note.empty() ? "git inside" : " and") + " has begun a " + head->unfinished;
}

std::string note_on_branch(const Wafer& wafer, git::BaseFilesCache& bases) {
  constexpr std::size_t kShortId = 7;
  if (wafer.stage != WaferStage::ready || !bases.of(wafer.checkout).common_dir) return {};
  const auto tip = bases.branch_of(wafer.checkout, wafer.branch);
  const std::string name = "branch " + in_quotes(wafer.branch);
  if (!tip) return name + " is gone";
  if (wafer.has_git_inside()) return note_on_head(wafer);
  if (*tip == wafer.last_commit || *tip == wafer.pending_commit || *tip == wafer.branch_was) {
    return {};
  }
  return name + " was moved from " + wafer.last_commit.substr(0, kShortId) + " to " +
         tip->substr(0, kShortId) + " outside of wafers";
}

/// No lock is held: what looks moved may be a commit that goes on. It is noted in the record before
/// the branch moves, so it is none where the record is the same before and after the look.
std::string settled_note(const Store& store, const Wafer& wafer, git::BaseFilesCache& bases) {
  if (wafer.has_git_inside()) return note_on_branch(wafer, bases);
  if (note_on_branch(wafer, bases).empty()) return {};
  Wafer before = wafer;
  while (true) {
    git::BaseFilesCache anew;
    std::string note = note_on_branch(before, anew);
    auto after = store.lookup(wafer.name).wafer;
    if (note.empty() || !after) return {};
    if (after->last_commit == before.last_commit &&
        after->pending_commit == before.pending_commit && after->branch_was == before.branch_was) {
      return note;
    }
    before = std::move(*after);
  }
}

}  // namespace

WaferInfo inspect(const Wafer& wafer, git::BaseFilesCache& bases) {
  WaferInfo info;
  info.wafer = wafer;
  info.mount = make_backend(wafer.backend)->state(wafer);
  const git::BaseFiles& base = bases.of(wafer.checkout);
  if (base.head && wafer.base_kind == BaseKind::live) {
    info.base_moved = *base.head != wafer.checkout_commit;
  }
  if (!base.exists && wafer.base_kind == BaseKind::live) {
    mark_broken(info.mount, "its base " + in_quotes(wafer.checkout.native()) + " is gone");
  }
  if (is_unclean(wafer)) mark_broken(info.mount, unclean_reason());
  if (wafer.stage == WaferStage::adding) mark_broken(info.mount, "it is not completely made");
  if (wafer.stage == WaferStage::removing) mark_broken(info.mount, "it is not completely removed");
  return info;
}

ListResult list_wafers(const Store& store) {
  Store::Listing listing = store.list();
  ListResult result;
  result.invalid_entries = std::move(listing.invalid);
  result.wafers.reserve(listing.wafers.size());
  git::BaseFilesCache bases;
  for (Wafer& wafer : listing.wafers) {
    if (wafer.has_git_inside()) {
      wafer.last_commit = bases.branch_of(wafer.checkout, wafer.branch).value_or(wafer.last_commit);
    }
    result.wafers.push_back(inspect(wafer, bases));
    result.wafers.back().branch_note = settled_note(store, wafer, bases);
  }
  return result;
}

std::string utf8_text(std::string_view text) {
  return is_utf8(text) ? std::string(text) : git::quote_path(text);
}

}  // namespace wafers
