#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace wafers {

/// Whether a process that is waited for does anything: a slow one is waited for, however long
/// it takes; one that stands still is not.
class ActivityWatch {
 public:
  explicit ActivityWatch(pid_t pid);

  /// Looks again. False where it has been stopped for two seconds, or has had no CPU time for ten.
  bool goes_on();

  /// As of the last look: 'T' stopped by a signal, 't' by a debugger, else what it was (proc(5)).
  char state() const noexcept { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  pid_t pid_;
  char state_ = '?';
  std::uint64_t cpu_ticks_ = 0;
  Clock::time_point last_sign_ = Clock::now();
};

}  // namespace wafers
