#pragma once

#include <cstdint>
#include <string_view>

#include "git/objects/handle.h"
#include "git/objects/object.h"

namespace wafers::git {

/// Hashes objects of any size in pieces, with libgit2's own SHA-1: it has no public function for
/// that, but an object database whose only part throws everything away does it.
class BlobHasher {
 public:
  BlobHasher();
  /// Starts a blob of exactly `size` bytes.
  void begin(std::uint64_t size);
  void update(std::string_view piece);
  Oid finish();

 private:
  OdbHandle odb_;
  OdbStreamHandle stream_;
};

}  // namespace wafers::git
