#include "core/view/surrounding_wafer.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "core/state/backend_traits.h"
#include "core/view/backend_parts.h"
#include "linux/mount_table.h"
#include "linux/overlay.h"

namespace wafers {
namespace {

using Table = std::vector<MountEntry>;

constexpr std::string_view kFuseType = "fuse.fuse-overlayfs";

bool is_fuse_overlay(const MountEntry& entry) { return entry.type == kFuseType; }

/// Starts the source of a kernel overlay of ours: see view_source().
constexpr std::string_view kViewSource = "wafers:";

/// The name in such a source.
std::optional<std::string> name_of_view(const MountEntry& entry) {
  if (entry.type != "overlay" || !entry.source.starts_with(kViewSource)) return std::nullopt;
  return entry.source.substr(kViewSource.size(), entry.source.rfind(':') - kViewSource.size());
}

std::optional<std::string> by_namespace(const Store& store, const Table& table) {
  for (const MountEntry& entry : table) {
    auto name = name_of_view(entry);
    const auto wafer =
        name && is_valid_wafer_name(*name) ? store.lookup(*name).wafer : std::nullopt;
    if (wafer && traits_of(wafer->backend).has_own_namespaces &&
        entry.source == view_source(*wafer)) {
      return name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> by_environment(const Table& table) {
  const char* const name = std::getenv("WAFERS_NAME");
  const char* const root = std::getenv("WAFERS_ROOT");
  if (name == nullptr || root == nullptr) return std::nullopt;
  const auto entry = find_mount(table, root);
  if (entry && (is_fuse_overlay(*entry) || name_of_view(*entry) == name)) return name;
  return std::nullopt;
}

std::optional<std::string> by_directory(const Store& store, const Table& table) {
  const auto here = view_identity(".");
  const auto entry = std::ranges::find_if(
      table, [&](const MountEntry& mount) { return here && mount.mount_id == here->mount_id; });
  if (entry == table.end()) return std::nullopt;
  if (!is_fuse_overlay(*entry)) return name_of_view(*entry);
  // Not every one is ours: it is what a container may be on.
  const auto wafers = store.list().wafers;
  const auto found = std::ranges::find(wafers, entry->target, &Wafer::mountpoint);
  return found != wafers.end() ? std::optional(found->name) : std::nullopt;
}

}  // namespace

std::optional<std::string> surrounding_namespace(const Store& store) {
  if (!may_name_in_own_mount_table({kViewSource})) return std::nullopt;
  return by_namespace(store, own_mount_table());
}

std::optional<std::string> surrounding_wafer(const Store& store) {
  if (!may_name_in_own_mount_table({kViewSource, kFuseType})) return std::nullopt;
  const Table table = own_mount_table();
  if (auto name = by_namespace(store, table)) return name;
  if (auto name = by_environment(table)) return name;
  return by_directory(store, table);
}

void refuse_nested_mount(const Store& store, const Wafer& wafer) {
  const auto around = surrounding_namespace(store);
  if (!around || *around == wafer.name) return;
  throw Error(ErrorKind::refused,
              "cannot mount wafer " + in_quotes(wafer.name) + " from inside wafer " +
                  in_quotes(*around) + ": the view would end with that one's",
              "mount it from outside: wafers mount " + wafer.name);
}

}  // namespace wafers
