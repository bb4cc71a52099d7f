#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
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

/// Tasks that make more tasks, for several workers. Last in, first out: few are waiting at a time.
template <typename Task>
class TaskPool {
 public:
  void push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

  /// Works until all tasks are done, those of other workers too, or one of them failed.
  template <typename Body>
  void work(Body body) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !tasks_.empty() || busy_ == 0 || failed_; });
      if (tasks_.empty() || failed_) break;
      Task task = std::move(tasks_.back());
      tasks_.pop_back();
      ++busy_;
      lock.unlock();
      try {
        body(task);
      } catch (...) {
        lock.lock();
        failed_ = true;
        changed_.notify_all();
        throw;
      }
      lock.lock();
      --busy_;
      if (busy_ == 0 && tasks_.empty()) changed_.notify_all();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t busy_ = 0;
  bool failed_ = false;
};

}  // namespace wafers
