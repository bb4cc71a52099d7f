#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/commands/add.h"
#include "core/state/store.h"

namespace wafers {

struct ForkRequest {
  std::string source;
  std::vector<std::string> names;
  std::optional<std::string> at;      ///< "{name}" stands for the new wafer's name
  std::optional<std::string> branch;  ///< as above; "wafers/<name>" if absent
};

/// `wafers fork`: makes wafers with the base, the tip (on branches of their own), and the staged,
/// uncommitted and ignored state of one, and mounts their views; all of them or, where anything
/// fails, none. Each file is as it was in the source at some time during the call, and all new
/// wafers have the same. The source may be in use: its lock is held meanwhile, and neither its view
/// nor its record or upper is changed. Throws Interrupted, or Error: usage (names, templates),
/// refused (source unclean, branch or mountpoint not usable), failed, busy (source does not
/// answer).
AddResult fork_wafer(const Store& store, const ForkRequest& request, const Notify& notify);

}  // namespace wafers
