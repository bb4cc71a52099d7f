#pragma once

#include <pthread.h>

#include <cstddef>
#include <exception>
#include <functional>

namespace wafers::test {

/// Runs `work` to its end in a thread that has little stack: what recurses over what somebody else
/// has nested crashes there. Throws what it throws.
inline void on_small_stack(const std::function<void()>& work) {
  constexpr std::size_t kSize = 256UL * 1024;
  struct Call {
    const std::function<void()>& work;
    std::exception_ptr thrown = {};
  } call{work};
  const auto run = [](void* argument) -> void* {
    auto& wanted = *static_cast<Call*>(argument);
    try {
      wanted.work();
    } catch (...) {
      wanted.thrown = std::current_exception();
    }
    return nullptr;
  };
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kSize);
  pthread_t thread{};
  const int err = ::pthread_create(&thread, &attributes, run, &call);
  ::pthread_attr_destroy(&attributes);
  if (err != 0) std::terminate();
  ::pthread_join(thread, nullptr);
  if (call.thrown) std::rethrow_exception(call.thrown);
}

}  // namespace wafers::test
