#include "core/base/live_base.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "git/refs/head.h"

namespace wafers {
namespace {

constexpr std::size_t kShortId = 7;

void warn_of_mix(const LockedWafer& wafer, const std::string& head) {
  wafer.store().tell(
      "warning: the base of " + in_quotes(wafer->name) + " has moved from " +
      wafer->checkout_commit.substr(0, kShortId) + " to " + head.substr(0, kShortId) +
      " while processes are inside: until they have left, the view is a mix of both");
}

/// Whether nobody is inside; the view is gone then. It is mounted again at once, so that nothing
/// need be synced.
bool take_away_view(LockedWafer& locked) {
  const auto backend = make_backend(locked->backend);
  if (!backend->find(*locked)) return true;
  if (!backend->occupants(*locked).empty()) return false;
  try {
    backend->unmount(*locked);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::busy) throw;
    return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> moved_head(const Wafer& wafer) {
  if (wafer.base_kind != BaseKind::live) return std::nullopt;
  auto head = git::read_base_files(wafer.checkout).head;
  return head && *head != wafer.checkout_commit ? std::move(head) : std::nullopt;
}

MountedWafer ensure_healed(const Store& store, const std::string& name,
                           const PrepareLayers& prepare, Unclean unclean) {
  Wafer wafer = store.load(name);
  const auto head = moved_head(wafer);
  if (head && !is_unclean(wafer)) {
    LockedWafer locked(store, name);
    if (moved_head(*locked)) {
      if (take_away_view(locked)) {
        mount_and_record(locked, prepare);
      } else {
        warn_of_mix(locked, *head);
      }
    }
    wafer = *locked;
  }
  return ensure_mounted(store, std::move(wafer), prepare, unclean);
}

}  // namespace wafers
