#include "core/list.h"

#include <array>
#include <cstddef>

#include "base/text.h"
#include "core/unclean.h"
#include "git/format.h"

namespace wafers {
namespace {

/// Makes each backend once, however many wafers there are.
const Backend& backend_of(BackendKind kind) {
  static std::array<std::unique_ptr<Backend>, 3> backends;
  auto& backend = backends.at(static_cast<std::size_t>(kind));
  if (!backend) backend = make_backend(kind);
  return *backend;
}

void mark_broken(MountState& state, const std::string& reason) {
  state.status = WaferStatus::broken;
  state.reason = reason;
}

}  // namespace

WaferInfo inspect(const Wafer& wafer, BaseFilesCache& bases) {
  WaferInfo info;
  info.wafer = wafer;
  info.mount = backend_of(wafer.backend).state(wafer);
  const BaseFiles& base = bases.of(wafer.base_repo);
  if (base.head) info.base_moved = *base.head != wafer.base_commit;
  if (!base.exists) {
    mark_broken(info.mount, "its base " + wafers::quoted(wafer.base_repo.native()) + " is gone");
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
  BaseFilesCache bases;
  for (const Wafer& wafer : listing.wafers) result.wafers.push_back(inspect(wafer, bases));
  return result;
}

std::string utf8_text(std::string_view text) {
  return is_utf8(text) ? std::string(text) : git::quote_path(text);
}

}  // namespace wafers
