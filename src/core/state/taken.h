#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/store.h"
#include "core/state/wafer.h"

namespace wafers {

/// Of a wafer's record, what a new wafer must not have as well, or shares.
struct Taken {
  std::string name;
  std::string branch;
  std::string checkout;
  std::string mountpoint;
  std::vector<std::string> parents;  ///< Wafer::mountpoint_parents

  bool operator==(const Taken&) const = default;
};

Taken taken_by(const Wafer& wafer);

/// File of the state directory in which list_taken() remembers what records said.
inline constexpr const char* kTakenFile = ".taken";

/// What all wafers of the state have taken, by name, in every stage. The caller holds lock_all().
/// A record whose file is as it was when it was read is not read again: with a thousand wafers that
/// would take longer than all else that `add` does. Where the memory is absent, damaged or can't be
/// written, all records are read. Throws Error(failed) where the state can't be read.
std::vector<Taken> list_taken(const Store& store);

}  // namespace wafers
