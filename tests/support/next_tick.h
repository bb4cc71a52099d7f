#pragma once

#include <ctime>
#include <utility>

namespace wafers::test {

/// Waits until the kernel's clock for timestamps is past all that were taken until now. Since Linux
/// 6.13 such a one may be finer than that clock, and so be of a second that it hasn't reached
/// ("multigrain timestamps", Documentation/filesystems/multigrain-ts.rst).
inline void wait_for_next_tick() {
  timespec start{};
  ::clock_gettime(CLOCK_REALTIME, &start);
  timespec now{};
  do {
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  } while (std::pair(now.tv_sec, now.tv_nsec) <= std::pair(start.tv_sec, start.tv_nsec));
}

}  // namespace wafers::test
