#pragma once

#include <sys/types.h>

#include <set>

#include "core/state/wafer.h"

namespace wafers {

/// Ends what the programs that we start leave in the background inside the wafer: gpg starts
/// gpg-agent, ssh a master of its connections, a hook whatever it likes, and each would keep the
/// wafer busy after the command that needed it, and no other wafer has any use for it there. What
/// they leave outside, where wafers was called outside, is left alone, as git would leave it; so
/// are children that this process had before. While it lives, a process that loses a parent that
/// descends from this process becomes its child (prctl(2), PR_SET_CHILD_SUBREAPER).
class LeftInside {
 public:
  explicit LeftInside(Wafer wafer);
  LeftInside(const LeftInside&) = delete;
  LeftInside& operator=(const LeftInside&) = delete;
  /// Waits until they have ended. What can't be ended stays.
  ~LeftInside();

 private:
  std::set<pid_t> find() const;

  Wafer wafer_;
  std::set<pid_t> before_;
};

}  // namespace wafers
