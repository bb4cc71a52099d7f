#pragma once

#include <sys/resource.h>

#include <functional>

namespace wafers {

/// Runs `work` to its end with a stack that is large enough for as many levels of directories as a
/// path can have, and with as many descriptors as can be had. Throws as on_stack_of() does.
void on_deep_stack(const std::function<void()>& work);

/// A soft limit of this process that is higher, as far as the hard one allows, while this lives.
class RaisedLimit {
 public:
  RaisedLimit(int resource, rlim_t wanted) noexcept;
  RaisedLimit(const RaisedLimit&) = delete;
  RaisedLimit& operator=(const RaisedLimit&) = delete;
  ~RaisedLimit();

 private:
  int resource_;
  rlimit before_{};
};

/// Lets programs that are started while this lives go as deep: git recurses as well, with a
/// directory open on each level.
class DeepTreesForPrograms {
 public:
  DeepTreesForPrograms() noexcept;

 private:
  RaisedLimit stack_;
  RaisedLimit descriptors_;
};

}  // namespace wafers
