#pragma once

#include <filesystem>

#include "base/fd.h"

namespace wafers {

/// An flock(2) on a directory, held until the descriptor is closed by this process and its
/// children: tells others that it is in use. Empty where another process has it, or where the
/// directory is not, or no longer, under this name once the lock is taken. So a process that makes
/// a directory that others may claim, too, has it only when this gives a descriptor. Throws
/// Error(failed).
UniqueFd claim_directory(const std::filesystem::path& path);

}  // namespace wafers
