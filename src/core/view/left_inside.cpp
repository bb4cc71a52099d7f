#include "core/view/left_inside.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <utility>

#include "core/state/backend_traits.h"
#include "core/view/backends.h"
#include "linux/namespaces.h"
#include "os/process.h"

namespace wafers {
namespace {

std::set<pid_t> children() {
  const auto pids = own_children();
  return {pids.begin(), pids.end()};
}

/// Then all that descends from this process is inside as well.
bool is_inside(const Wafer& wafer) {
  return traits_of(wafer.backend).has_own_namespaces && wafer.mount &&
         wafer.mount->mnt_ns == own_namespace_inode(NamespaceType::mount);
}

void end(const std::set<pid_t>& pids) {
  constexpr auto kPatience = std::chrono::seconds(3);
  std::map<pid_t, UniqueFd> held;
  // They are our children: none of the pids goes to another process before we have waited for it.
  for (const pid_t pid : pids) held.emplace(pid, open_pidfd(pid));
  for (const auto& [pid, fd] : held) send_signal(fd.get(), SIGTERM);
  for (const auto& [pid, fd] : held) {
    end_process(fd.get(), kPatience);
    ::waitpid(pid, nullptr, 0);
  }
}

}  // namespace

LeftInside::LeftInside(Wafer wafer) : wafer_(std::move(wafer)), before_(children()) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

LeftInside::~LeftInside() {
  constexpr int kRounds = 10;  // the children of those that were ended come to us as well
  try {
    for (int round = 0; round < kRounds; ++round) {
      const std::set<pid_t> left = find();
      if (left.empty()) break;
      end(left);
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): rm names them
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

std::set<pid_t> LeftInside::find() const {
  std::set<pid_t> left = children();
  for (const pid_t pid : before_) left.erase(pid);
  if (left.empty() || is_inside(wafer_)) return left;
  std::set<pid_t> inside;
  for (const Occupant& occupant : make_backend(wafer_.backend)->occupants(wafer_)) {
    if (left.contains(occupant.pid)) inside.insert(occupant.pid);
  }
  return inside;
}

}  // namespace wafers
