#include "os/task_pool.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"

using wafers::WorkQueue;

TEST_CASE("a queue does every job once", "[work_queue]") {
  std::atomic<int> sum{0};
  WorkQueue<int> queue(100, [&](const int& job) { sum += job; });
  int expected = 0;
  for (int round = 0; round < 3; ++round) {
    for (int job = 1; job <= 1000; ++job) {
      queue.add(job, 7);
      expected += job;
    }
    queue.finish();
    CHECK(sum == expected);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which need address space
namespace {

/// Whether `body` is true in a process that can have no thread more: there is no room for a stack.
bool holds_without_threads(bool (*body)()) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit little{1, 1};
    ::setrlimit(RLIMIT_AS, &little);
    ::_exit(body() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("work is done where there can be no threads", "[work_queue]") {
  constexpr unsigned kWorkers = 4;
  CHECK(holds_without_threads([] {
    std::atomic<unsigned> sum{0};
    wafers::run_workers(kWorkers, [&](unsigned worker) { sum += worker; });
    return sum == kWorkers * (kWorkers - 1) / 2;
  }));
  CHECK(holds_without_threads([] {
    int sum = 0;
    WorkQueue<int> queue(100, [&](const int& job) { sum += job; });
    for (int job = 1; job <= 100; ++job) queue.add(job, 1);
    queue.finish();
    return sum == 5050;
  }));
}
#endif

TEST_CASE("jobs are begun in the order in which they were added", "[work_queue]") {
  constexpr int kLast = 100;
  std::atomic<bool> blocked{true};
  const auto here = std::this_thread::get_id();
  std::vector<int> begun;
  WorkQueue<int> queue(1000, [&](const int& job) {
    if (job == kLast) {
      blocked = false;
      blocked.notify_all();
    }
    // Each of its own threads stands still with one job, so that this one does the rest.
    if (std::this_thread::get_id() == here) {
      begun.push_back(job);
    } else {
      blocked.wait(true);
    }
  });
  for (int job = 1; job <= kLast; ++job) queue.add(job, 1);
  queue.finish();
  CHECK_FALSE(begun.empty());
  CHECK(std::is_sorted(begun.begin(), begun.end()));
}

TEST_CASE("who adds to a full queue works, too", "[work_queue]") {
  std::atomic<bool> blocked{true};
  std::atomic<int> done{0};
  const auto here = std::this_thread::get_id();
  WorkQueue<int> queue(1, [&](const int& /*job*/) {
    // Its own threads stand still until this one has worked.
    if (std::this_thread::get_id() == here) blocked = false;
    blocked.wait(true);
    ++done;
  });
  for (int job = 0; job < 1000 && blocked; ++job) {
    queue.add(job, 1);
    blocked.notify_all();
  }
  CHECK_FALSE(blocked);
  queue.finish();
  CHECK(done > 0);
}

TEST_CASE("a job that fails is told to who adds and to who waits", "[work_queue]") {
  std::atomic<int> done{0};
  WorkQueue<std::string> queue(10, [&](const std::string& job) {
    if (job == "bad") throw std::runtime_error("job failed");
    ++done;
  });
  queue.add("good", 1);
  queue.finish();
  CHECK(done == 1);
  queue.add("bad", 1);
  CHECK_THROWS_WITH(queue.finish(), "job failed");
  CHECK_THROWS_WITH(queue.add("late", 1), "job failed");
  CHECK_THROWS_WITH(queue.finish(), "job failed");
}

TEST_CASE("who waits, waits for the jobs of others, too", "[work_queue]") {
  std::atomic<int> done{0};
  WorkQueue<int> queue(1000, [&](const int& /*job*/) {
    std::this_thread::yield();
    ++done;
  });
  for (int job = 1; job <= 2000; ++job) {
    queue.add(job, 1);
    queue.finish();
    REQUIRE(done == job);
  }
}

TEST_CASE("after a failure nothing that waits is begun", "[work_queue]") {
  std::atomic<bool> failed{false};
  const auto here = std::this_thread::get_id();
  int later = 0;
  WorkQueue<int> queue(1000, [&](const int& /*job*/) {
    if (std::this_thread::get_id() != here) return failed.wait(false);
    if (failed) ++later;
    failed = true;
    failed.notify_all();
    throw std::runtime_error("job failed");
  });
  for (int job = 0; job < 100; ++job) queue.add(job, 1);
  CHECK_THROWS_WITH(queue.finish(), "job failed");
  CHECK(later == 0);
}

TEST_CASE("what is cancelled is not begun", "[work_queue]") {
  constexpr int kMany = 100000;
  std::atomic<bool> blocked{true};
  std::atomic<int> begun{0};
  WorkQueue<int> queue(kMany, [&](const int& /*job*/) {
    ++begun;
    blocked.wait(true);
    std::this_thread::yield();  // to who cancels
  });
  for (int job = 0; job < kMany; ++job) queue.add(job, 1);
  blocked = false;
  blocked.notify_all();
  queue.cancel();
  CHECK(begun < kMany);
}
