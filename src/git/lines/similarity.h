#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wafers::git {

/// A file's content as git compares it with others to find renames: a bag of its lines, or runs of
/// 64 bytes (diffcore-delta.c).
class Signature {
 public:
  enum class Kind { text, binary };
  Signature(std::string_view content, Kind kind);

  /// How much of this content `target` has, of kMaxScore (diffcore-rename.c: estimate_similarity).
  int score_of(const Signature& target) const;

  static constexpr int kMaxScore = 60000;

 private:
  /// Hash of one line, and how many bytes the lines with that hash have in all.
  struct Run {
    std::uint32_t hash = 0;
    std::uint64_t bytes = 0;
  };
  void combine();

  std::vector<Run> runs_;  ///< by hash
  std::uint64_t size_ = 0;
};

}  // namespace wafers::git
