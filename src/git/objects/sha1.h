#pragma once

// The functions that need no initialising are called deprecated since 3.0. EVP takes 0.7 ms until
// it has read its configuration and found SHA-1, and where that forbids SHA-1, no index can be
// read.
#define OPENSSL_API_COMPAT 0x10100000L  // NOLINT(cppcoreguidelines-macro-usage)
#include <openssl/sha.h>

#include <string_view>

#include "git/objects/object.h"

namespace wafers::git {

/// SHA-1 (RFC 3174) of raw bytes, by libcrypto: an index and a pack end in one, and libgit2 hashes
/// objects only. It doesn't look for crafted collisions: what is written gets its name from
/// libgit2, which does.
class Sha1 {
 public:
  Sha1();

  void update(std::string_view data);
  /// The last call: nothing can be added afterwards.
  Oid finish();

 private:
  SHA_CTX context_;
};

}  // namespace wafers::git
