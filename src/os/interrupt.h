#pragma once

#include <csignal>
#include <iterator>

#include "base/error.h"

namespace wafers {

/// SIGINT, SIGTERM or SIGHUP came while something was being made; all of it has been undone.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal);
  int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

/// While it lives, SIGINT, SIGTERM and SIGHUP are only remembered, so that a chain of steps can be
/// undone instead of being cut off. One at a time in a process.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  /// Throws Interrupted if one of the signals came.
  static void check();

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction previous_[std::size(kSignals)]{};
};

}  // namespace wafers
