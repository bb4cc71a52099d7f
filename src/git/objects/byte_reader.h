#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "git/objects/big_endian.h"
#include "git/objects/object.h"

namespace wafers::git {

/// Takes a number in git's variable-length encoding (varint.c) off the front of `data`; nullopt
/// where there is none, or one above 2^40, which no file's length comes near to.
inline std::optional<std::size_t> take_varint(std::string_view& data) {
  constexpr std::size_t kTooBig = std::size_t{1} << 40U;
  std::size_t value = 0;
  for (std::size_t i = 0; i < data.size() && value <= kTooBig; ++i) {
    const auto byte = static_cast<std::uint8_t>(data[i]);
    value = (i == 0 ? 0 : (value + 1) << 7U) + (byte & 0x7FU);
    if ((byte & 0x80U) != 0) continue;
    data.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

/// Bytes aren't what their format says.
struct Malformed : std::runtime_error {
  Malformed() : std::runtime_error("malformed data") {}
};

/// Takes one thing after the other off bytes that may be forged. All throw Malformed where
/// there is no such thing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view data) : data_(data) {}

  bool at_end() const noexcept { return data_.empty(); }
  std::size_t left() const noexcept { return data_.size(); }

  std::string_view bytes(std::size_t count) {
    require(count <= data_.size());
    const std::string_view taken = data_.substr(0, count);
    data_.remove_prefix(count);
    return taken;
  }
  std::uint32_t be32() { return load_be32(bytes(4).data()); }
  std::uint64_t be64() {
    const std::uint64_t high = be32();
    return high << 32U | be32();
  }
  std::size_t varint() {
    const auto value = take_varint(data_);
    require(value.has_value());
    return *value;
  }
  Oid oid() { return Oid::from_bytes(bytes(Oid::kSize)); }
  /// What comes before the byte `end`, which is taken as well.
  std::string_view until(char end) {
    const std::size_t size = data_.find(end);
    require(size != std::string_view::npos);
    return bytes(size + 1).substr(0, size);
  }
  /// A decimal number before the byte `end`, which is taken as well.
  long decimal(char end) {
    const std::string_view digits = until(end);
    long number = 0;
    const auto [last, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    require(error == std::errc() && last == digits.data() + digits.size());
    return number;
  }

  static void require(bool condition) {
    if (!condition) throw Malformed();
  }

 private:
  std::string_view data_;
};

}  // namespace wafers::git
