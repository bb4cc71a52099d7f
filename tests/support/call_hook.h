#pragma once

#include <functional>

namespace wafers::test {

/// Where another process may come first, and where the power may go. While it lives, `hook` runs
/// right before such calls, in programs that are linked with --wrap=flock and --wrap=syncfs (see
/// CMakeLists.txt); one of a kind at a time.
class CallHook {
 public:
  enum class Before { next_flock, each_syncfs };
  CallHook(Before call, std::function<void()> hook);
  CallHook(const CallHook&) = delete;
  CallHook& operator=(const CallHook&) = delete;
  ~CallHook();

 private:
  std::function<void()>& place_;
};

}  // namespace wafers::test
