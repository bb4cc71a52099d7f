#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace wafers {

/// As many threads as there are cores for us, but no more than `useful`, and at least one.
inline unsigned thread_count(std::size_t useful) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::clamp<std::size_t>(useful, 1, cores));
}

/// Appends a thread that runs `body`. False where there can't be one more (RLIMIT_NPROC, pids.max,
/// no memory for its stack): the caller then does the work by itself.
template <typename Body>
bool start_thread(std::vector<std::jthread>& threads, Body body) {
  try {
    threads.emplace_back(std::move(body));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

/// Runs `body(worker)` for each worker in [0, count), the last one in this thread, and those as
/// well for which there is no thread: none may wait for another to begin. Waits for all; then
/// throws what the first one that failed has thrown.
template <typename Body>
void run_workers(unsigned count, Body body) {
  std::vector<std::exception_ptr> failures(count);
  const auto guarded = [&](unsigned worker) noexcept {
    try {
      body(worker);
    } catch (...) {
      failures[worker] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(count - 1);
    unsigned worker = 0;
    while (worker + 1 < count && start_thread(threads, [&guarded, worker] { guarded(worker); })) {
      ++worker;
    }
    for (; worker < count; ++worker) guarded(worker);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace wafers
