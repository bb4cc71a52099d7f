#include "core/view/bystanders.h"

#include <unistd.h>

namespace wafers {

Bystanders::Bystanders(const std::vector<ProcessEntry>& processes,
                       const std::map<pid_t, std::string>& keepers) {
  for (const ProcessEntry& process : processes) {
    const auto found = keepers.find(process.pid);
    if (found != keepers.end()) keepers_.insert({process.pid, {process.inode, found->second}});
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
