#include "git/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "git/big_endian.h"

namespace wafers::git {

void Sha1::process(const char* block) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 16; ++i) w[i] = load_be32(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  std::uint32_t a = state_[0];
  std::uint32_t b = state_[1];
  std::uint32_t c = state_[2];
  std::uint32_t d = state_[3];
  std::uint32_t e = state_[4];
  const auto round = [&](std::uint32_t f, std::uint32_t k, std::uint32_t word) {
    const std::uint32_t next = std::rotl(a, 5) + f + e + k + word;
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (std::size_t i = 0; i < 20; ++i) round((b & c) | (~b & d), 0x5A827999, w[i]);
  for (std::size_t i = 20; i < 40; ++i) round(b ^ c ^ d, 0x6ED9EBA1, w[i]);
  for (std::size_t i = 40; i < 60; ++i) round((b & c) | (b & d) | (c & d), 0x8F1BBCDC, w[i]);
  for (std::size_t i = 60; i < 80; ++i) round(b ^ c ^ d, 0xCA62C1D6, w[i]);
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
}

void Sha1::update(std::string_view data) {
  const std::size_t used = length_ % kBlock;
  length_ += data.size();
  if (used > 0) {
    const std::size_t piece = std::min(kBlock - used, data.size());
    std::memcpy(pending_.data() + used, data.data(), piece);
    data.remove_prefix(piece);
    if (used + piece < kBlock) return;
    process(pending_.data());
  }
  for (; data.size() >= kBlock; data.remove_prefix(kBlock)) process(data.data());
  if (!data.empty()) std::memcpy(pending_.data(), data.data(), data.size());
}

Oid Sha1::finish() {
  const std::uint64_t bits = 8 * length_;
  std::array<char, 2 * kBlock> padding{};
  padding[0] = static_cast<char>(0x80);
  const std::size_t used = length_ % kBlock;
  const std::size_t zeros = (used < 56 ? 56 : 120) - used;
  store_be32(padding.data() + zeros, static_cast<std::uint32_t>(bits >> 32U));
  store_be32(padding.data() + zeros + 4, static_cast<std::uint32_t>(bits));
  update({padding.data(), zeros + 8});
  std::array<char, Oid::kSize> digest{};
  for (std::size_t i = 0; i < state_.size(); ++i) store_be32(digest.data() + 4 * i, state_.at(i));
  Oid oid;
  std::memcpy(oid.bytes.data(), digest.data(), Oid::kSize);
  return oid;
}

}  // namespace wafers::git
