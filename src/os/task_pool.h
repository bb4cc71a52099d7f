#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
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

/// Jobs that are done in threads of their own while their maker goes on: on all cores but one, and
/// on that one as well where the waiting jobs grow too large. Used by one thread.
template <typename Job>
class WorkQueue {
 public:
  /// Calls `body` for each job, in several threads at once. Jobs that wait may be as large as
  /// `limit` together. No thread is started before the first job.
  WorkQueue(std::size_t limit, std::function<void(const Job&)> body)
      : limit_(limit), body_(std::move(body)) {}
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() { cancel(); }

  /// Drops what is not begun, and waits for the rest. Nothing can be added after it.
  void cancel() {
    {
      const std::lock_guard lock(mutex_);
      jobs_.clear();
      stopped_ = true;
    }
    changed_.notify_all();
    threads_.clear();
  }

  /// `size` is what the job counts against the limit. Throws what an earlier job has thrown.
  void add(Job job, std::size_t size) {
    if (!std::exchange(started_, true)) start();
    std::unique_lock lock(mutex_);
    jobs_.emplace_back(std::move(job), size);
    waiting_ += size;
    changed_.notify_one();
    while (waiting_ > limit_ && !failure_) do_one(lock);
    throw_failure();
  }

  /// Works until all jobs are done; throws what one of them has thrown.
  void finish() {
    std::unique_lock lock(mutex_);
    while (!jobs_.empty()) do_one(lock);
    idle_.wait(lock, [&] { return busy_ == 0; });
    throw_failure();
  }

 private:
  void start() {
    const unsigned cores = thread_count(std::thread::hardware_concurrency());
    for (unsigned i = 0; i < (cores > 1 ? cores - 1 : 1); ++i) {
      if (!start_thread(threads_, [this] { work(); })) return;  // finish() does the rest
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopped_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      do_one(lock);
    }
  }

  /// Without the lock in between. After a failure nothing that waits is worth doing.
  void do_one(std::unique_lock<std::mutex>& lock) {
    auto [job, size] = std::move(jobs_.front());
    jobs_.pop_front();
    waiting_ -= size;
    ++busy_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      body_(job);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (failure && !failure_) {
      failure_ = failure;
      jobs_.clear();
      waiting_ = 0;
    }
    if (busy_ == 0) idle_.notify_all();
  }

  void throw_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  const std::size_t limit_;
  const std::function<void(const Job&)> body_;
  std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::deque<std::pair<Job, std::size_t>> jobs_;
  std::size_t waiting_ = 0;  ///< bytes
  std::size_t busy_ = 0;
  bool started_ = false;  ///< used by the maker alone
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace wafers
