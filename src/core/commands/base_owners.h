#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "git/clean/tracked_files.h"

namespace wafers {

/// Whose files a namespace of the caller's can own up to.
struct OwningCaller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string user;  ///< as /etc/subgid has it: the name, else the uid
  std::vector<gid_t> groups;
  bool has_newgidmap = false;
  /// Whether newgidmap maps all of these.
  std::function<bool(const std::vector<gid_t>&)> can_map;
  /// A backend other than namespace that works here and in which the caller can change what is of
  /// his groups; empty where there is none.
  std::function<std::string()> other_backend;
};
/// This process. `other_backend`: see there.
OwningCaller owning_caller(std::function<std::string()> other_backend);

struct OwnerPlan {
  std::vector<std::uint32_t> groups;  ///< that the wafer's namespace is to have (Wafer::groups)
  /// To be told: what of the base can be read but not changed, and what helps.
  std::vector<std::string> lines;
};

/// What to do about files of the base that aren't the caller's, in a view of backend namespace.
/// Asks `can_map` only where groups of his occur, and `other_backend` only where something is left.
OwnerPlan plan_for_owners(const std::filesystem::path& base,
                          const std::vector<git::OwnedFiles>& of_others,
                          const OwningCaller& caller);

}  // namespace wafers
