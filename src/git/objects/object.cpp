#include "git/objects/object.h"

#include <algorithm>
#include <cstdio>

namespace wafers::git {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Oid::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * kSize);
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0FU];
  }
  return out;
}

std::optional<Oid> Oid::from_hex(std::string_view hex) {
  if (hex.size() != 2 * kSize) return std::nullopt;
  Oid oid;
  for (std::size_t i = 0; i < kSize; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    oid.bytes.at(i) = static_cast<std::uint8_t>(high * 16 + low);
  }
  return oid;
}

bool is_blob(FileMode mode) { return is_regular(mode) || mode == FileMode::symlink; }

bool is_regular(FileMode mode) { return mode == FileMode::regular || mode == FileMode::executable; }

std::string to_octal(FileMode mode) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%06o", static_cast<unsigned>(mode));
  return buffer.data();
}

bool tree_order_less(const TreeEntry& a, const TreeEntry& b) {
  const std::size_t common = std::min(a.name.size(), b.name.size());
  const int order = a.name.compare(0, common, b.name, 0, common);
  if (order != 0) return order < 0;
  const auto next = [common](const TreeEntry& entry) -> unsigned char {
    if (entry.name.size() > common) return static_cast<unsigned char>(entry.name[common]);
    return entry.mode == FileMode::tree ? '/' : '\0';
  };
  return next(a) < next(b);
}

}  // namespace wafers::git
