#include "core/view/bystanders.h"

#include <unistd.h>

#include "core/view/backend.h"
#include "os/process.h"

namespace wafers {

Bystanders::Bystanders(const std::vector<Wafer>& wafers) {
  // First the list, then the proof: had a pid gone to another process in between, what is proven of
  // that one would not fit the inode.
  std::map<pid_t, std::uint64_t> inodes;
  for (const ProcessEntry& process : list_processes()) inodes[process.pid] = process.inode;
  for (const Wafer& wafer : wafers) {
    const auto pid = make_backend(wafer.backend)->keeper(wafer);
    const auto found = pid ? inodes.find(*pid) : inodes.end();
    if (found != inodes.end()) keepers_.insert({*pid, Keeper{found->second, wafer.name}});
  }
}

std::vector<pid_t> Bystanders::processes_around(const std::string& name) const {
  const pid_t self = ::getpid();
  std::vector<pid_t> pids;
  for (const ProcessEntry& process : list_processes()) {
    const auto known = keepers_.find(process.pid);
    const bool is_bystander = known != keepers_.end() && known->second.inode == process.inode &&
                              known->second.wafer != name;
    if (!is_bystander && process.pid != self) pids.push_back(process.pid);
  }
  return pids;
}

}  // namespace wafers
