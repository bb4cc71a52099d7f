#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/state/wafer.h"

namespace wafers {

/// What `ls` tells of a wafer's work.
struct Overview {
  std::size_t ahead = 0;    ///< commits of the branch since the base commit
  std::size_t changed = 0;  ///< files that are not committed, untracked ones included
  std::string subject;      ///< of the branch's last commit; empty where that is the base's
};

/// Reads the branch and the upper; takes no lock. Throws Error(failed) where either can't be read.
Overview overview_of(const Wafer& wafer);

/// Blocks of the wafer's upper, in bytes. What can't be read isn't counted.
std::uintmax_t disk_usage(const Wafer& wafer);

// A repository by the directory that its worktrees share; absent where there is none.

/// Of this process's directory.
std::optional<std::filesystem::path> repository_here();
std::optional<std::filesystem::path> repository_of(const Wafer& wafer);

}  // namespace wafers
