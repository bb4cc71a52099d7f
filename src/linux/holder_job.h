#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linux/group_map.h"
#include "linux/overlay.h"
#include "os/failure.h"

namespace wafers {

// What passes between a holder and the process that starts it, over two pipes.

/// Descriptors that the holder is started with, beside /dev/null as standard output and error.
inline constexpr int kHolderJobFd = 0;  ///< reads one encoded HolderJob up to end of file
inline constexpr int kHolderReportFd =
    3;  ///< writes one encoded HolderReport; end of file: it idles
inline constexpr int kHolderTargetFd = 4;  ///< adopt: a pidfd of a process that is inside

/// Descriptors that the holder leaves to wafers-idle, which are no others by then.
inline constexpr int kHolderSignalFd = 4;   ///< a signalfd(2) of SIGTERM, which is blocked
inline constexpr int kHolderProgramFd = 5;  ///< wafers-holder, to be executed when SIGTERM comes

/// What a holder is called in /proc/<pid>/comm, whichever program it is just now.
inline constexpr const char* kHolderComm = "wafers-holder";

struct HolderJob {
  enum class Kind {
    mount,  ///< make namespaces and mount `overlay` in them
    adopt,  ///< join those of the process behind kHolderTargetFd, which have the view already
  };
  Kind kind = Kind::mount;
  OverlaySpec overlay;
  /// The wafer's state, in which the view is mounted a second time (linux/second_view.h) and a
  /// clean end is noted (linux/clean_end.h).
  std::string directory;
  // mount: what it has beside the view.
  MappedGroups mapped;                            ///< groups that the namespace is to have, too
  std::vector<std::filesystem::path> own_copies;  ///< files to be shown as the caller's own
  std::filesystem::path place;  ///< of a checkout for the view to cover; empty: none
};

/// What the holder became, or what it could not do.
struct HolderReport {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t mnt_ns = 0;
  std::uint64_t device = 0;  ///< st_dev of the view

  std::optional<Failure> failure;  ///< the rest means nothing then
};

std::string encode(const HolderJob& job);
std::string encode(const HolderReport& report);

/// Throw Error(failed) where `text` isn't the whole of one.
HolderJob decode_job(std::string_view text);
HolderReport decode_report(std::string_view text);

}  // namespace wafers
