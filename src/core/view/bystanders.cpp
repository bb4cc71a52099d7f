#include "core/view/bystanders.h"

#include <unistd.h>

#include <utility>

#include "linux/namespaces.h"

namespace wafers {

std::optional<Resident> find_resident(pid_t pid) {
  // Most can't be looked at, and for both namespaces the kernel asks for the same right.
  std::vector<std::uint64_t> user_ns = user_namespaces_of(pid);
  if (user_ns.empty()) return std::nullopt;
  return Resident{pid, std::move(user_ns), namespace_inode(pid, NamespaceType::mount)};
}

Bystanders::Bystanders(const std::vector<ProcessEntry>& processes,
                       const std::map<pid_t, std::string>& keepers) {
  for (const ProcessEntry& process : processes) {
    const auto found = keepers.find(process.pid);
    if (found != keepers.end()) keepers_.insert({process.pid, {process.inode, found->second}});
  }
}

void Bystanders::look() {
  constexpr int kCalls = 16;
  residents_.clear();
  for (const ProcessEntry& process : list_processes()) {
    const auto known = keepers_.find(process.pid);
    const bool is_keeper = known != keepers_.end() && known->second.inode == process.inode;
    if (is_keeper || process.pid == ::getpid()) continue;
    if (auto resident = find_resident(process.pid)) residents_.push_back(*std::move(resident));
  }
  calls_left_ = keepers_.empty() ? 1 : kCalls;
}

std::vector<Resident> Bystanders::residents_around(const std::string& name) {
  if (calls_left_ == 0) look();
  --calls_left_;
  std::vector<Resident> around = residents_;
  for (const auto& [pid, keeper] : keepers_) {
    auto own = keeper.wafer == name ? find_resident(pid) : std::nullopt;
    if (own) around.push_back(*std::move(own));
  }
  return around;
}

}  // namespace wafers
