#pragma once

#include <optional>
#include <string>

#include "core/state/store.h"
#include "core/state/wafer.h"

namespace wafers {

/// The name of the wafer whose user and mount namespaces this process lives in, or a sandbox of its
/// own that was made there: by the mount table, in which such a view shows nowhere else.
std::optional<std::string> surrounding_namespace(const Store& store);

/// The wafer that this process works in, with whatever backend: by its namespaces, by the view that
/// it was entered for (WAFERS_NAME and WAFERS_ROOT, as long as that is mounted), or by its working
/// directory.
std::optional<std::string> surrounding_wafer(const Store& store);

/// Throws Error(refused) where this process is inside of another wafer, in whose namespaces the
/// view would be mounted and with which it would end.
void refuse_nested_mount(const Store& store, const Wafer& wafer);

}  // namespace wafers
