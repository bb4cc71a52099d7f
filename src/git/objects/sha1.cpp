#include "git/objects/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "git/objects/big_endian.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace wafers::git {
namespace {

#if defined(__x86_64__)

bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/// The state as the instructions want it: a, b, c, d from the highest word down, and e in the
/// highest one.
struct Registers {
  __m128i abcd, e;
};

/// The last 16 words of the schedule, in a ring.
struct Schedule {
  __m128i words[4];
};

/// Five of the 20 groups of four rounds. The instructions compute the next four words from the
/// schedule, and `e` from what `abcd` was a group ago.
template <int kFunction>
__attribute__((target("sha,sse4.1"), always_inline)) inline void five_groups(Registers& state,
                                                                             Schedule& schedule) {
  constexpr auto kFirst = static_cast<std::size_t>(5 * kFunction);
  for (std::size_t group = kFirst; group < kFirst + 5; ++group) {
    auto& words = schedule.words;
    __m128i& word = words[group % 4];
    if (group >= 4) {
      const __m128i earlier = _mm_sha1msg1_epu32(word, words[(group + 1) % 4]);
      word = _mm_sha1msg2_epu32(_mm_xor_si128(earlier, words[(group + 2) % 4]),
                                words[(group + 3) % 4]);
    }
    const __m128i e =
        group == 0 ? _mm_add_epi32(state.e, word) : _mm_sha1nexte_epu32(state.e, word);
    state.e = state.abcd;
    state.abcd = _mm_sha1rnds4_epu32(state.abcd, e, kFunction);
  }
}

/// Five times as fast as what a compiler makes of the rounds.
__attribute__((target("sha,sse4.1"))) void process_with_instructions(
    std::array<std::uint32_t, 5>& state, std::string_view blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  constexpr int kReversed = 0x1B;
  auto* const abcd = reinterpret_cast<__m128i*>(state.data());
  Registers now{.abcd = _mm_shuffle_epi32(_mm_loadu_si128(abcd), kReversed),
                .e = _mm_set_epi32(static_cast<int>(state[4]), 0, 0, 0)};
  for (; !blocks.empty(); blocks.remove_prefix(64)) {
    const Registers before = now;
    Schedule schedule;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto* const from = reinterpret_cast<const __m128i*>(blocks.data()) + i;
      schedule.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(from), big_endian);
    }
    five_groups<0>(now, schedule);
    five_groups<1>(now, schedule);
    five_groups<2>(now, schedule);
    five_groups<3>(now, schedule);
    now.e = _mm_sha1nexte_epu32(now.e, before.e);
    now.abcd = _mm_add_epi32(now.abcd, before.abcd);
  }
  _mm_storeu_si128(abcd, _mm_shuffle_epi32(now.abcd, kReversed));
  state[4] = static_cast<std::uint32_t>(_mm_extract_epi32(now.e, 3));
}

#endif

void process_block(std::array<std::uint32_t, 5>& state, const char* block) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 16; ++i) w[i] = load_be32(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  std::uint32_t a = state[0];
  std::uint32_t b = state[1];
  std::uint32_t c = state[2];
  std::uint32_t d = state[3];
  std::uint32_t e = state[4];
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
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace

/// Whole blocks.
void Sha1::process(std::string_view blocks) {
#if defined(__x86_64__)
  static const bool has_instructions = has_sha_instructions();
  if (has_instructions && code_ == Code::fastest) return process_with_instructions(state_, blocks);
#endif
  for (; !blocks.empty(); blocks.remove_prefix(kBlock)) process_block(state_, blocks.data());
}

void Sha1::update(std::string_view data) {
  const std::size_t used = length_ % kBlock;
  length_ += data.size();
  if (used > 0) {
    const std::size_t piece = std::min(kBlock - used, data.size());
    std::memcpy(pending_.data() + used, data.data(), piece);
    data.remove_prefix(piece);
    if (used + piece < kBlock) return;
    process({pending_.data(), kBlock});
  }
  const std::size_t whole = data.size() / kBlock * kBlock;
  process(data.substr(0, whole));
  data.remove_prefix(whole);
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
  return Oid::from_bytes({digest.data(), digest.size()});
}

}  // namespace wafers::git
