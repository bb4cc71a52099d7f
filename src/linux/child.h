#pragma once

#include <functional>
#include <optional>

#include "linux/failure.h"

namespace wafers {

/// Runs `work` in a forked child, for what a process can't take back: joining and making
/// namespaces. An Error, or any other exception, ends in the child and comes back as a value;
/// nothing that belongs to the parent is cleaned up twice, since the child leaves by _exit. Absent
/// on success. Throws Error(failed) where the child can't be made.
std::optional<Failure> run_in_child(const std::function<void()>& work);

}  // namespace wafers
