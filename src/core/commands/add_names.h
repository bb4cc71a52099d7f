#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "core/state/wafer.h"

namespace wafers {

/// A wafer, or a branch that was to be new, is there already. Another name may do.
class NameTaken : public Error {
 public:
  using Error::Error;
};

struct AddRequest {
  std::vector<std::string> names;
  std::optional<std::string> at;       ///< "{name}" stands for the wafer's name
  std::optional<std::string> branch;   ///< as above; "wafers/<name>" if absent
  std::filesystem::path from = ".";    ///< any directory of the base's worktree
  std::optional<std::string> base;     ///< a revision; HEAD if absent
  std::optional<BackendKind> backend;  ///< absent: the first that works
  std::optional<BaseKind> kind;        ///< absent: what wafers.base says, else live
  bool assume_clean = false;
  bool with_changes = false;  ///< what is uncommitted in the checkout is so in the new views
  bool git_inside = false;    ///< else what wafers.git says
  bool durable = false;
  bool in_place = false;    ///< the view is at the checkout's own path, too
  bool new_branch = false;  ///< one that is there is refused, whatever it has
};

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
