#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "git/objects/byte_reader.h"

namespace wafers::git {

/// A set of small numbers that git keeps in an index, compressed as EWAH (gitformat-bitmap(5),
/// appendix A).
class Bitmap {
 public:
  /// Takes one off `from`. Throws Malformed, also for one that could hold numbers from `limit` on.
  static Bitmap take(ByteReader& from, std::size_t limit);

  bool test(std::size_t number) const noexcept {
    const std::size_t word = number / kBits;
    return word < words_.size() && (words_[word] >> (number % kBits) & 1U) != 0;
  }

 private:
  static constexpr std::size_t kBits = 64;
  std::vector<std::uint64_t> words_;
};

}  // namespace wafers::git
