#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "os/process.h"

namespace wafers {

/// The holders of many wafers, looked at once: a command that ends the views of a thousand wafers,
/// one after the other, need not look each time at those who keep the others.
class Bystanders {
 public:
  /// None is known.
  Bystanders() = default;

  /// `keepers`: which process keeps the view of which wafer, for sure (Backend::keeper()).
  /// `processes`: the list from before that was proven. Had a pid gone to another process in
  /// between, what is proven of that one would not fit the inode.
  Bystanders(const std::vector<ProcessEntry>& processes,
             const std::map<pid_t, std::string>& keepers);

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
