#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/fd.h"
#include "linux/holder_job.h"

namespace wafers {

/// The holder's program: $WAFERS_HOLDER if set, else ../libexec/wafers/ or ../helper/ seen from
/// where our own program really is (installed, build tree), else where it was to be installed.
/// Absent where it is in none of these.
std::optional<std::filesystem::path> find_holder();

/// A holder that does its job while we go on.
class StartingHolder {
 public:
  /// Starts it. `target` is a pidfd of a process inside (adopt), or -1. Throws Error(unsupported)
  /// where the program isn't found, and Error(failed).
  StartingHolder(const std::string& name, const HolderJob& job, int target);

  /// Returns when it holds the view: by then it is no child of this process, in a session of its
  /// own, and unprivileged. Throws Error(failed) with the failed step and its errno; nothing is
  /// left then. To be called once.
  HolderReport wait();

 private:
  std::filesystem::path program_;
  UniqueFd report_;
  pid_t pid_ = -1;
};

/// Starts a holder and waits for it.
HolderReport start_holder(const std::string& name, const HolderJob& job, int target);

}  // namespace wafers
