#include "core/deep_stack.h"

#include <pthread.h>
#include <sys/resource.h>

#include <cstddef>
#include <exception>

#include "base/error.h"

namespace wafers {
namespace {

/// PATH_MAX ends a path after some 2,050 directories, and a level takes a few KiB, several times as
/// much under a sanitizer. What is not touched takes no memory.
constexpr std::size_t kStackSize = 64UL * 1024 * 1024;

/// A walk holds a directory of the upper, and perhaps one of the base, open for each level of
/// depth. Paths end at PATH_MAX, which is more than the usual soft limit allows. Restored in the
/// end, for the sake of programs that are started later and use select(2).
class DescriptorLimit {
 public:
  DescriptorLimit() {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) return;
    rlimit raised = before_;
    raised.rlim_cur = before_.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &raised);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

struct Work {
  const std::function<void()>& run;
  std::exception_ptr thrown = {};
};

void* run_work(void* argument) {
  auto& work = *static_cast<Work*>(argument);
  try {
    work.run();
  } catch (...) {
    work.thrown = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void on_deep_stack(const std::function<void()>& work) {
  const DescriptorLimit limit;
  Work wanted{.run = work};
  pthread_attr_t attributes;
  int err = ::pthread_attr_init(&attributes);
  if (err != 0) throw Error::system(err, "cannot start a thread");
  pthread_t thread{};
  err = ::pthread_attr_setstacksize(&attributes, kStackSize);
  if (err == 0) err = ::pthread_create(&thread, &attributes, run_work, &wanted);
  ::pthread_attr_destroy(&attributes);
  if (err != 0) throw Error::system(err, "cannot start a thread");
  ::pthread_join(thread, nullptr);
  if (wanted.thrown) std::rethrow_exception(wanted.thrown);
}

}  // namespace wafers
