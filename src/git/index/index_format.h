#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wafers::git {

// gitformat-index(5), shared by reader and writer.

constexpr std::string_view kIndexSignature = "DIRC";
constexpr std::size_t kIndexHeaderSize = 12;
constexpr std::size_t kIndexHashSize = 20;
/// Stat data, object name and flags; the name follows.
constexpr std::size_t kIndexEntrySize = 62;

constexpr std::size_t kIndexModeAt = 24;
constexpr std::size_t kIndexUidAt = 28;
constexpr std::size_t kIndexGidAt = 32;
constexpr std::size_t kIndexOidAt = 40;
constexpr std::size_t kIndexFlagsAt = 60;

// Types that a mode can have.
constexpr std::uint32_t kIndexTypeMask = 0170000;
constexpr std::uint32_t kIndexTypeTree = 0040000;
constexpr std::uint32_t kIndexTypeFile = 0100000;
constexpr std::uint32_t kIndexTypeLink = 0120000;
constexpr std::uint32_t kIndexTypeGitlink = 0160000;

/// Directories of an extension, one in the other: no path has more.
constexpr int kIndexDeepest = 2048;

constexpr std::uint32_t kIndexNameMask = 0x0FFF;
constexpr std::uint32_t kIndexStageShift = 12;
constexpr std::uint32_t kIndexExtended = 0x4000;
constexpr std::uint32_t kIndexAssumeValid = 0x8000;
// In the second flag word, versions 3 and 4; kept above the first one in memory.
constexpr std::uint32_t kIndexSecondWord = 16;
constexpr std::uint32_t kIndexSkipWorktree = 0x4000;
constexpr std::uint32_t kIndexIntentToAdd = 0x2000;

}  // namespace wafers::git
