#pragma once

#include <string>
#include <vector>

#include "core/commands/add.h"

namespace wafers {

/// What one name of an `add` stands for.
struct PlannedWafer {
  std::string name;
  std::string branch;
  std::filesystem::path mountpoint;
};

/// Names, branches and mountpoints of a request, with every "{name}" replaced; looks at nothing but
/// the request. Throws Error(usage) for an invalid or repeated name, and where several names would
/// share a branch or mountpoint.
std::vector<PlannedWafer> plan_names(const AddRequest& request,
                                     const std::filesystem::path& state_root);

}  // namespace wafers
