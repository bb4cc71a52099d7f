#include "end_view.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "linux/clean_end.h"
#include "linux/holder_job.h"
#include "linux/namespaces.h"
#include "linux/second_view.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

/// After this time, processes that came in meanwhile are looked for as well.
constexpr std::chrono::milliseconds kPause{100};

/// A living process in the namespaces of this one, or in a sandbox that was made in there.
std::optional<pid_t> somebody_inside() {
  const auto mnt_ns = own_namespace_inode(NamespaceType::mount);
  const auto user_ns = own_namespace_inode(NamespaceType::user);
  const auto is_inside = [&](pid_t pid) {
    if (pid == ::getpid()) return false;
    if (namespace_inode(pid, NamespaceType::mount) != mnt_ns &&
        std::ranges::count(user_namespaces_of(pid), user_ns) == 0) {
      return false;
    }
    const auto stat = read_process_stat(pid);
    return stat && stat->alive() && stat->comm != kHolderComm;
  };
  const std::vector<pid_t> pids = all_processes();
  const auto found = std::ranges::find_if(pids, is_inside);
  return found == pids.end() ? std::nullopt : std::optional(*found);
}

void wait_until_nobody_is_inside() {
  while (const auto pid = somebody_inside()) {
    if (const UniqueFd process = open_pidfd(*pid)) wait_for_end(process.get(), kPause);
  }
}

/// False where it is not mounted.
bool unmount_once_free(const std::filesystem::path& mountpoint,
                       const std::filesystem::path& directory) {
  while (true) {
    wait_until_nobody_is_inside();
    try {
      unmount_views(mountpoint, directory);
      return true;
    } catch (const Error& error) {
      if (error.errnum() == EINVAL) return false;
      if (error.errnum() != EBUSY) throw;
    }
    // A process outside has a file of the view open; no event tells when it is closed.
    ::usleep(std::chrono::microseconds(kPause).count());
  }
}

}  // namespace

void end_view(const std::filesystem::path& mountpoint, const std::filesystem::path& directory) {
  // For those who look for a holder: execveat(2) named this process after a descriptor.
  ::prctl(PR_SET_NAME, kHolderComm, 0, 0, 0);
  if (!unmount_once_free(mountpoint, directory)) return;
  sync_file_system(directory / "upper");
  note_clean_end(directory);
}

}  // namespace wafers
