#pragma once

#include <optional>
#include <string>

#include "git/objects/object_store.h"

namespace wafers::git {

/// What `tree` has at `path`, from its root; absent where there is nothing. Throws Error(failed) as
/// ObjectStore::read_tree() does.
std::optional<TreeEntry> entry_at(ObjectStore& objects, Oid tree, const std::string& path);

}  // namespace wafers::git
