#include "git/objects/sha1.h"

#include <array>

namespace wafers::git {

// What these three return is 1, always.

Sha1::Sha1() : context_{} { SHA1_Init(&context_); }

void Sha1::update(std::string_view data) { SHA1_Update(&context_, data.data(), data.size()); }

Oid Sha1::finish() {
  std::array<unsigned char, Oid::kSize> digest{};
  static_assert(digest.size() == SHA_DIGEST_LENGTH);
  SHA1_Final(digest.data(), &context_);
  return Oid::from_bytes({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace wafers::git
