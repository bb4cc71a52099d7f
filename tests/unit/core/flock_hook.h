#pragma once

#include <functional>

namespace wafers::test {

/// While it lives, `hook` runs once, right before the next flock(2): that is where another process
/// may come first. Works in programs that are linked with --wrap=flock (see CMakeLists.txt).
class FlockHook {
 public:
  explicit FlockHook(std::function<void()> hook);
  FlockHook(const FlockHook&) = delete;
  FlockHook& operator=(const FlockHook&) = delete;
  ~FlockHook();
};

}  // namespace wafers::test
