#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/state/wafer.h"

namespace wafers {

/// The holders of many wafers, looked at once: whoever ends the views of a thousand wafers, one
/// after the other, need not look each time at those who keep the others.
class Bystanders {
 public:
  /// None is known.
  Bystanders() = default;

  /// Those that keep the views of `wafers` now, for sure (Backend::keeper()).
  explicit Bystanders(const std::vector<Wafer>& wafers);

  /// Every process that there is now but this one and the known holders of other wafers than
  /// `name`. One that began later than this object is never left out, whatever its pid.
  std::vector<pid_t> processes_around(const std::string& name) const;

 private:
  struct Keeper {
    std::uint64_t inode = 0;  ///< ProcessEntry::inode
    std::string wafer;
  };
  std::map<pid_t, Keeper> keepers_;
};

}  // namespace wafers
