#include "os/activity.h"

#include "os/process.h"

namespace wafers {

ActivityWatch::ActivityWatch(pid_t pid) : pid_(pid) { goes_on(); }

bool ActivityWatch::goes_on() {
  // Whoever stopped it may let it go on at once, as a shell does.
  constexpr std::chrono::seconds kStopped{2};
  constexpr std::chrono::seconds kIdle{10};
  const auto stat = read_process_stat(pid_);
  const std::uint64_t ticks = stat ? stat->cpu_ticks : cpu_ticks_;
  const auto now = Clock::now();
  if (ticks != cpu_ticks_) last_sign_ = now;
  cpu_ticks_ = ticks;
  state_ = stat ? stat->state : '?';
  const bool stopped = state_ == 'T' || state_ == 't';
  return now - last_sign_ < (stopped ? kStopped : kIdle);
}

}  // namespace wafers
