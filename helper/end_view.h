#pragma once

#include <linux/capability.h>

#include <filesystem>
#include <initializer_list>

namespace wafers {

/// What a holder keeps until it ends: to unmount, and to see who is inside although they don't let
/// themselves be looked at (prctl(2), PR_SET_DUMPABLE). No other process in the wafer's namespaces
/// has it, nor gets it from the holder: the kernel keeps processes with fewer capabilities away.
inline constexpr std::initializer_list<unsigned> kEndingCapabilities{CAP_SYS_ADMIN, CAP_SYS_PTRACE};

/// What a holder does when it is asked to end, as at the shutdown of the host: once no one else is
/// inside, who are asked to end at the same moment, it unmounts the view, so that nothing is
/// written in it any more, syncs what was written, and notes that (linux/clean_end.h) in
/// `directory`, the wafer's state. Takes as long as a process is inside; to be called by the
/// holder, in the wafer's namespaces. Does nothing where the view isn't mounted (any more): wafers
/// is about to end us. Throws Error(failed), without a note.
void end_view(const std::filesystem::path& mountpoint, const std::filesystem::path& directory);

}  // namespace wafers
