#pragma once

#include <sys/types.h>

namespace wafers::test {

/// Kills a process that need not be a child of ours, and waits until it is gone. Throws
/// std::runtime_error where there is none.
void kill_and_wait(pid_t pid);

/// Whether there is such a process, and no zombie that was not waited for.
bool is_running(pid_t pid);

}  // namespace wafers::test
