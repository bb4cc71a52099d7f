#pragma once

#include <functional>

namespace wafers {

/// Runs `work` to its end with a stack that is large enough for as many levels of directories as a
/// path can have, and with as many descriptors as can be had. Throws as on_stack_of() does.
void on_deep_stack(const std::function<void()>& work);

}  // namespace wafers
