#include "git/work_queue.h"

#include <atomic>
#include <stdexcept>
#include <string>

#include "support/catch.h"

using wafers::git::WorkQueue;

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

TEST_CASE("what is cancelled is not begun", "[work_queue]") {
  std::atomic<int> begun{0};
  {
    WorkQueue<int> queue(1000, [&](const int& /*job*/) { ++begun; });
    queue.add(1, 1);
    queue.cancel();
    const int before = begun;
    CHECK(before <= 1);
  }
  CHECK(begun <= 1);
}
