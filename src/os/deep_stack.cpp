#include "os/deep_stack.h"

#include <algorithm>
#include <cstddef>

#include "base/stack.h"

namespace wafers {
namespace {

/// PATH_MAX ends a path after some 2,050 directories, and a level takes a few KiB, several times as
/// much under a sanitizer. What is not touched takes no memory.
constexpr std::size_t kStackSize = 64UL * 1024 * 1024;

}  // namespace

RaisedLimit::RaisedLimit(int resource, rlim_t wanted) noexcept : resource_(resource) {
  if (::getrlimit(resource_, &before_) != 0) return;
  rlimit raised = before_;
  raised.rlim_cur = std::max(before_.rlim_cur, std::min(wanted, before_.rlim_max));
  ::setrlimit(resource_, &raised);
}

RaisedLimit::~RaisedLimit() { ::setrlimit(resource_, &before_); }

DeepTreesForPrograms::DeepTreesForPrograms() noexcept
    : stack_(RLIMIT_STACK, kStackSize), descriptors_(RLIMIT_NOFILE, RLIM_INFINITY) {}

void on_deep_stack(const std::function<void()>& work) {
  // A walk holds a directory of the upper, and perhaps one of the base, open for each level of
  // depth. Paths end at PATH_MAX, which is more than the usual soft limit allows. Not for longer,
  // for the sake of programs that are started later and use select(2).
  const RaisedLimit limit(RLIMIT_NOFILE, RLIM_INFINITY);
  on_stack_of(kStackSize, work);
}

}  // namespace wafers
