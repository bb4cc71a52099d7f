#pragma once

#include <string>

#include "core/state/wafer.h"

namespace wafers::test {

/// A wafer as a record may tell of it.
inline Wafer example_wafer(const std::string& name) {
  Wafer wafer;
  wafer.name = name;
  wafer.branch = "wafers/" + name;
  wafer.checkout = "/base";
  wafer.layers = {wafer.checkout};
  wafer.base_commit = wafer.checkout_commit = std::string(40, 'a');
  wafer.last_commit = std::string(40, 'b');
  wafer.mountpoint = "/views/" + name;
  return wafer;
}

}  // namespace wafers::test
