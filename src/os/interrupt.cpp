#include "os/interrupt.h"

#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>

namespace wafers {
namespace {

std::atomic<int> pending_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

void remember(int signal) { pending_signal.store(signal); }

}  // namespace

Interrupted::Interrupted(int signal)
    : Error(ErrorKind::failed, "interrupted by SIG" + std::string(sigabbrev_np(signal))),
      signal_(signal) {}

InterruptGuard::InterruptGuard() {
  pending_signal.store(0);
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], nullptr, &previous_[i]);
    // What the caller ignores (nohup) stays ignored.
    if (previous_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &previous_[i], nullptr);
  }
}

void InterruptGuard::check() {
  if (const int signal = pending_signal.exchange(0)) throw Interrupted(signal);
}

}  // namespace wafers
