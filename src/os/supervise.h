#pragma once

#include <functional>

#include "os/spawn.h"

namespace wafers {

/// Runs `work` in a child, which exits with what it returns or becomes another program, and waits
/// for its end. Signals that ask this process to end or mean what its user likes (SIGHUP, SIGINT,
/// SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2) reach the child in its place: those of the terminal, which
/// the child has had itself (signal(7)), excepted. Throws Error(failed) where there can be no
/// child.
ExitStatus supervise(const std::function<int()>& work);

}  // namespace wafers
