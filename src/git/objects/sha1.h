#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "git/objects/object.h"

namespace wafers::git {

/// SHA-1 (RFC 3174) of raw bytes: an index file ends in one. libgit2 hashes objects only, and for a
/// checksum against bit rot a cryptographic library would be one dependency more for nothing.
class Sha1 {
 public:
  /// The processor's own instructions where it has them, or what every processor can do.
  enum class Code { fastest, portable };
  explicit Sha1(Code code = Code::fastest) : code_(code) {}

  void update(std::string_view data);
  Oid finish();

 private:
  static constexpr std::size_t kBlock = 64;
  void process(std::string_view blocks);

  Code code_;
  std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<char, kBlock> pending_{};
  std::uint64_t length_ = 0;
};

}  // namespace wafers::git
