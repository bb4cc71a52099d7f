#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/wafer.h"
#include "git/repository.h"

namespace wafers {

/// Where external filters (gitattributes(5), `filter`) run for this wafer: git runs them at the top
/// of the worktree, so this is the view, by a path that works for this process. While the view is
/// not mounted it is the upper: what is filtered is in there, but an unchanged file of the base is
/// not. Never the base's worktree: a filter must not write there, and what it finds below the name
/// that it is given must be what it is to filter (git-lfs 3.3 looks up that file's size, and cuts
/// its input off where the file is smaller).
std::filesystem::path filter_directory(const Wafer& wafer);

/// What they find in their environment when they run in `directory`: the repository by GIT_DIR,
/// since the view hides `.git`. Its index is the base's: git programs among them must not refresh
/// it. PWD spares them the path that getcwd(2) would give for another mount namespace's directory.
std::vector<std::string> filter_environment(const git::Repository& repository,
                                            const std::string& directory);

}  // namespace wafers
