#pragma once

#include <functional>

#include "base/stack.h"

namespace wafers::test {

/// Runs `work` where there is little stack: what recurses over what others have nested
/// crashes there. Throws what it throws.
inline void on_small_stack(const std::function<void()>& work) { on_stack_of(256UL * 1024, work); }

}  // namespace wafers::test
