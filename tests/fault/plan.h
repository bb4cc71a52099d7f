#pragma once

#include <array>
#include <atomic>

namespace wafers::test {

/// Which system call is to fail. It lies in a file beside the program, mapped by the program, its
/// children and the holder alike, so that they count together.
struct FaultPlan {
  std::atomic<int> fail_at{0};    ///< the n-th call fails, counted from 1; none where it is 0
  std::atomic<int> calls{0};      ///< so far
  bool reading_too = false;       ///< count open(2) for reading as well
  std::array<char, 64> only{};    ///< count none but these, separated by blanks; all where empty
  std::array<char, 32> failed{};  ///< name of the call that did
};
static_assert(std::atomic<int>::is_always_lock_free, "shared by processes");

/// Name of that file.
inline constexpr const char* kFaultPlan = "fault-plan";

}  // namespace wafers::test
