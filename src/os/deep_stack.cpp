#include "os/deep_stack.h"

#include <sys/resource.h>

#include <cstddef>

#include "base/stack.h"

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

}  // namespace

void on_deep_stack(const std::function<void()>& work) {
  const DescriptorLimit limit;
  on_stack_of(kStackSize, work);
}

}  // namespace wafers
