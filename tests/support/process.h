#pragma once

#include <sys/types.h>

namespace wafers::test {

/// Kills a process that may be nobody's child of ours, and waits until it is gone. Throws
/// std::runtime_error where there is none.
void kill_and_wait(pid_t pid);

/// Whether there is such a process, and no zombie that nobody has waited for.
bool is_running(pid_t pid);

}  // namespace wafers::test
