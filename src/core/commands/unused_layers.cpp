#include "core/commands/unused_layers.h"

#include <sys/file.h>

#include <exception>
#include <filesystem>
#include <set>

#include "core/base/bases.h"
#include "core/commands/discard.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// A record that can't be read may name any.
bool all_are_known(const Store::Listing& listing) { return listing.invalid.empty(); }

void take_away_those_of_none(const Store& store) {
  // Who is about to use a layer holds this lock until a record names it.
  const UniqueFd lock = lock_bases(store, LOCK_EX | LOCK_NB);
  const Store::Listing listing = store.list();
  if (!all_are_known(listing)) return;
  const fs::path bases = store.root() / kBasesDirectory;
  std::set<fs::path> used;
  for (const Wafer& wafer : listing.wafers) {
    for (const fs::path& layer : wafer.layers) {
      used.insert(bases / *layer.lexically_relative(bases).begin());
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(bases)) {
    if (!used.contains(entry.path())) discard(store.root(), entry.path(), kAtOnce);
  }
}

}  // namespace

void take_away_unused_layers(const Store& store) noexcept {
  try {
    take_away_those_of_none(store);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
}

}  // namespace wafers
