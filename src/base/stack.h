#pragma once

#include <cstddef>
#include <functional>

namespace wafers {

/// Runs `work` to its end with a stack of `size` bytes, whatever the caller's limit is (ulimit -s):
/// in a thread of its own, with the caller's credentials and namespaces. Throws what `work` throws,
/// and Error(failed) where there can be no such thread.
void on_stack_of(std::size_t size, const std::function<void()>& work);

}  // namespace wafers
