#pragma once

#include <cstddef>
#include <cstdint>

namespace wafers::fuzz {

/// SplitMix64: the same numbers on every machine for a seed, which the standard's distributions
/// don't promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// 0 … bound - 1; bound must not be 0.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }
  std::size_t between(std::size_t least, std::size_t most) noexcept {
    return least + below(most - least + 1);
  }
  bool percent(unsigned chance) noexcept { return below(100) < chance; }

  /// A random element; `choices` must not be empty.
  template <typename Choices>
  auto pick(const Choices& choices) noexcept -> decltype(choices[0]) {
    return choices[below(std::size(choices))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace wafers::fuzz
