#pragma once

#include <string>
#include <string_view>

#include "core/state/wafer.h"

namespace wafers {

/// Who decides when what is written in a view goes to the disk.
enum class MountMode {
  volatile_,  ///< nothing that is done in the view waits for the disk (OverlaySpec::is_volatile)
  durable,    ///< the kernel's own behaviour
};

/// Result of trying a backend for real.
struct Trial {
  bool works = false;
  UpperDialect dialect{};   ///< the one to mount with, where it works
  std::string reason;       ///< what failed, with its errno: "unshare(CLONE_NEWUSER): ... (EPERM)"
  std::string hint;         ///< what to do about it
  bool remembered = false;  ///< it was made some time ago
};

/// What the names of directories below the state directory begin with in which a trial is made.
/// The process that makes one has claimed it (os/claim.h).
inline constexpr std::string_view kTrialPrefix = ".trial-";

}  // namespace wafers
