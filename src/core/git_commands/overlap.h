#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/state/store.h"

namespace wafers {

/// A path that several wafers of one repository have changed.
struct Overlap {
  std::filesystem::path repository;  ///< the checkout of the first of them
  std::string path;                  ///< from its root, raw bytes
  std::vector<std::string> wafers;   ///< at least two, in the order of the store
};

struct OverlapResult {
  std::vector<Overlap> overlaps;      ///< by repository, then by path in byte order
  bool several_repositories = false;  ///< that the wafers which were looked at belong to
  std::vector<std::string> warnings;  ///< which wafers could not be looked at, and why
};

/// What two or more wafers have changed since their bases, committed or not; untracked files count,
/// ignored ones don't. Of `names`, or of all wafers where that is empty. Takes no lock and reads
/// what was changed alone. Throws Error(failed) for a name that is no wafer's.
OverlapResult find_overlaps(const Store& store, const std::vector<std::string>& names);

}  // namespace wafers
