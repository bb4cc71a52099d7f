#pragma once

#include <filesystem>

#include "core/view/trial.h"

namespace wafers {

// A trial takes about as long as the rest of an `add`, and while the host runs the kernel does to
// the same file system what it did before. So it is remembered, by extended attributes of the state
// directory, which trials were passed. What a process may do is another matter, in containers above
// all: a caller that believes this must be ready for the mount to fail.

/// Whether the trial of this kind was passed here since the host was started. Always false for
/// fuse, whose server may be another one by now, and for host, whose dialect depends on the caller.
bool was_passed(const std::filesystem::path& state_root, BackendKind kind, MountMode mode);

/// Remembers that. What can't be written is tried again next time, so nothing is thrown.
void remember_passed(const std::filesystem::path& state_root, BackendKind kind,
                     MountMode mode) noexcept;

/// Removes what was remembered of all trials.
void forget_passed(const std::filesystem::path& state_root) noexcept;

}  // namespace wafers
