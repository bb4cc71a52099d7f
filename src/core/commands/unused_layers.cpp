#include "core/commands/unused_layers.h"

#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <set>
#include <utility>

#include "core/base/bases.h"
#include "core/commands/discard.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// A record that can't be read may name any.
bool all_are_known(const Store::Listing& listing) { return listing.invalid.empty(); }

/// The snapshot that was used last, where that was within a day: the next `add` may want it.
fs::path newest_snapshot(const fs::path& bases) {
  const auto since = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::pair<fs::file_time_type, fs::path> newest{since, {}};
  for (const fs::directory_entry& entry : fs::directory_iterator(bases)) {
    if (!entry.path().filename().native().starts_with(kFrozenPrefix)) continue;
    newest = std::max(newest, std::pair(entry.last_write_time(), entry.path()));
  }
  return newest.second;
}

std::vector<fs::path> layers_of_none(const Store& store, Keep keep) {
  const Store::Listing listing = store.list();
  if (!all_are_known(listing)) return {};
  const fs::path bases = store.root() / kBasesDirectory;
  std::set<fs::path> used;
  for (const Wafer& wafer : listing.wafers) {
    for (const fs::path& layer : wafer.layers) {
      used.insert(bases / *layer.lexically_relative(bases).begin());
    }
  }
  if (keep == Keep::newest_snapshot) used.insert(newest_snapshot(bases));
  std::vector<fs::path> unused;
  for (const fs::directory_entry& entry : fs::directory_iterator(bases)) {
    if (!used.contains(entry.path())) unused.push_back(entry.path());
  }
  return unused;
}

}  // namespace

std::vector<fs::path> unused_layers(const Store& store) {
  if (!fs::exists(store.root() / kBasesDirectory)) return {};
  return layers_of_none(store, Keep::nothing);
}

std::vector<fs::path> take_away_unused_layers(const Store& store, Keep keep) noexcept {
  std::vector<fs::path> taken;
  try {
    // Who is about to use a layer holds this lock until a record names it.
    const UniqueFd lock = lock_bases(store, LOCK_EX | LOCK_NB);
    for (const fs::path& layer : layers_of_none(store, keep)) {
      discard(store, layer, kAtOnce);
      taken.push_back(layer);
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
  return taken;
}

}  // namespace wafers
