#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "linux/holder_job.h"

namespace wafers {

/// The holder's program: $WAFERS_HOLDER if set, else ../libexec/wafers/ or ../helper/ seen from
/// where our own program really is (installed, build tree), else where it was to be installed.
/// Absent where it is in none of these.
std::optional<std::filesystem::path> find_holder();

/// Starts a holder and returns when it holds the view: by then it is no child of this process, in a
/// session of its own, and unprivileged. `target` is a pidfd of a process inside (adopt), or -1.
/// Throws Error(unsupported) where the program isn't found, and Error(failed) with the failed step
/// and its errno; nothing is left then.
HolderReport start_holder(const std::string& name, const HolderJob& job, int target);

}  // namespace wafers
