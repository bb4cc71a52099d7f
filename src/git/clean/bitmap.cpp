#include "git/clean/bitmap.h"

namespace wafers::git {

Bitmap Bitmap::take(ByteReader& from, std::size_t limit) {
  // A marker word: one bit, how many words are filled with it (32 bits), how many words follow as
  // they are (31 bits).
  constexpr unsigned kRunBits = 32;
  const std::size_t size = from.be32();
  std::size_t left = from.be32();
  ByteReader::require(size <= limit);
  const std::size_t most = (size + kBits - 1) / kBits;
  Bitmap bitmap;
  while (left > 0) {
    const std::uint64_t marker = from.be64();
    --left;
    const std::uint64_t run = marker >> 1U & 0xFFFFFFFFU;
    const std::uint64_t literal = marker >> (kRunBits + 1);
    ByteReader::require(literal <= left && bitmap.words_.size() + run + literal <= most);
    bitmap.words_.insert(bitmap.words_.end(), run, (marker & 1U) != 0 ? ~std::uint64_t{0} : 0);
    for (std::uint64_t i = 0; i < literal; ++i) bitmap.words_.push_back(from.be64());
    left -= literal;
  }
  from.be32();  // where the last marker is, for those who write
  return bitmap;
}

}  // namespace wafers::git
