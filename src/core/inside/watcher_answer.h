#pragma once

#include <string>
#include <string_view>

#include "core/state/wafer.h"

namespace wafers {

/// The answer to the second version of git's question (fsmonitor-watchman in githooks(5)): what git
/// is to give back next time, and the paths that may differ from what it knows, each with a NUL
/// behind it; none where `token` is what it was given for a state that hasn't changed since. They
/// are what the layers above the snapshot hold; the entries of git's index inside that the
/// snapshot's hasn't, since what was made, staged and removed in the view leaves no trace in the
/// upper; and for each directory of those layers a name in it, from which git knows that it may
/// hold other names now. Throws Error(failed), also where that can't be told: of a live base, and
/// where git's index is of a form that wafers doesn't read.
std::string watcher_answer(const Wafer& wafer, std::string_view token);

}  // namespace wafers
