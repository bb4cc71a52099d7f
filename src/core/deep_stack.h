#pragma once

#include <functional>

namespace wafers {

/// Runs `work` to its end with a stack that is large enough for as many levels of directories as a
/// path can have, whatever the caller's limit is (ulimit -s), and with as many descriptors as can
/// be had: in a thread of its own, with the
/// caller's credentials and namespaces. Throws what `work` throws, and Error(failed) where there
/// can be no such thread.
void on_deep_stack(const std::function<void()>& work);

}  // namespace wafers
