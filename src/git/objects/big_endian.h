#pragma once

#include <cstdint>

namespace wafers::git {

// Git's file formats are in network byte order.

inline std::uint16_t load_be16(const char* from) {
  const auto byte = [from](int i) {
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(from[i]));
  };
  return static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
}

inline std::uint32_t load_be32(const char* from) {
  return std::uint32_t{load_be16(from)} << 16U | load_be16(from + 2);
}

inline void store_be16(char* to, std::uint16_t value) {
  to[0] = static_cast<char>(value >> 8U);
  to[1] = static_cast<char>(value & 0xFFU);
}

inline void store_be32(char* to, std::uint32_t value) {
  store_be16(to, static_cast<std::uint16_t>(value >> 16U));
  store_be16(to + 2, static_cast<std::uint16_t>(value & 0xFFFFU));
}

}  // namespace wafers::git
