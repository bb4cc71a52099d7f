#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace wafers {

// What a holder notes of a volatile view that it has unmounted and synced by itself, at the
// shutdown of the host: a file in the wafer's state, beside the record, which takes the lock, the
// format and the libraries of a process that may be ended at the same moment.

/// Notes, on the disk when this returns, that the view which this process held is unmounted and all
/// that was written in it is on the disk. Throws Error(failed).
void note_clean_end(const std::filesystem::path& directory);

/// Whether the process `pid` that was started at `start_ticks` in the boot `boot` has noted that.
bool has_clean_end(const std::filesystem::path& directory, std::string_view boot, pid_t pid,
                   std::uint64_t start_ticks);

}  // namespace wafers
