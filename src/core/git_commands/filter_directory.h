#pragma once

#include <filesystem>

#include "core/state/wafer.h"

namespace wafers {

/// Where external filters (gitattributes(5), `filter`) run for this wafer: git runs them at the top
/// of the worktree, so this is the view, by a path that works for this process. While the view is
/// not mounted it is the upper: what is filtered is in there, but an unchanged file of the base is
/// not. Never the base's worktree: a filter must not write there, and what it finds below the name
/// that it is given must be what it is to filter (git-lfs 3.3 looks up that file's size, and cuts
/// its input off where the file is smaller).
std::filesystem::path filter_directory(const Wafer& wafer);

}  // namespace wafers
