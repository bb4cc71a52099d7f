#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "os/process.h"

namespace wafers {

/// A process and the namespaces that it lives in, as inodes.
struct Resident {
  pid_t pid = 0;
  std::vector<std::uint64_t> user_ns;  ///< never empty; as user_namespaces_of() gives them
  std::optional<std::uint64_t> mnt_ns;
};

/// Absent where the process is gone, or the kernel doesn't let us look.
std::optional<Resident> find_resident(pid_t pid);

/// All processes, looked at once for many wafers: a command that ends a thousand views, one after
/// the other, need not look each time at those who keep the others, nor at the rest of the host.
class Bystanders {
 public:
  /// None is known, and every look is a new one.
  Bystanders() = default;

  /// `keepers`: which process keeps the view of which wafer, for sure (Backend::keeper()).
  /// `processes`: the list from before that was proven. Had a pid gone to another process in
  /// between, what is proven of that one would not fit the inode.
  Bystanders(const std::vector<ProcessEntry>& processes,
             const std::map<pid_t, std::string>& keepers);

  /// The processes that can be looked at, but this one and the known holders of other wafers than
  /// `name`. Where holders are known, one look serves the next 16 calls: who came or went since
  /// isn't told. The kernel doesn't unmount what such a one stands in or has open.
  std::vector<Resident> residents_around(const std::string& name);

 private:
  struct Keeper {
    std::uint64_t inode = 0;  ///< ProcessEntry::inode
    std::string wafer;
  };

  void look();

  std::map<pid_t, Keeper> keepers_;
  std::vector<Resident> residents_;  ///< without keepers
  int calls_left_ = 0;               ///< that `residents_` serves
};

}  // namespace wafers
