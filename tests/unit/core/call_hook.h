#pragma once

#include <functional>

namespace wafers::test {

// Where another process may come first, and where the power may go. Both work in programs that are
// linked with --wrap=flock and --wrap=syncfs (see CMakeLists.txt), one of a kind at a time.

/// While it lives, `hook` runs once, right before the next flock(2).
class FlockHook {
 public:
  explicit FlockHook(std::function<void()> hook);
  FlockHook(const FlockHook&) = delete;
  FlockHook& operator=(const FlockHook&) = delete;
  ~FlockHook();
};

/// While it lives, `hook` runs right before each syncfs(2).
class SyncHook {
 public:
  explicit SyncHook(std::function<void()> hook);
  SyncHook(const SyncHook&) = delete;
  SyncHook& operator=(const SyncHook&) = delete;
  ~SyncHook();
};

}  // namespace wafers::test
