#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "git/objects/object.h"

namespace wafers::git {

/// A directory of an index whose tree object git has computed before (gitformat-index(5), "Cache
/// tree"). Names point into the extension's content.
struct CachedTree {
  std::string_view name;                   ///< of this directory; "" for the root
  std::optional<std::size_t> entry_count;  ///< of the index below it; absent where it is invalid
  Oid oid;                                 ///< where it is valid
  std::vector<CachedTree> subtrees;

  /// The root; nullopt where there is none or it is malformed.
  static std::optional<CachedTree> parse(std::string_view content);

  const CachedTree* find(std::string_view subtree) const;
};

}  // namespace wafers::git
