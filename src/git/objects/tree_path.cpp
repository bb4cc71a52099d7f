#include "git/objects/tree_path.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace wafers::git {

std::optional<TreeEntry> entry_at(ObjectStore& objects, Oid tree, const std::string& path) {
  std::optional<TreeEntry> found;
  for (const std::string& component : split(path, '/')) {
    if (found && found->mode != FileMode::tree) return std::nullopt;
    const auto entries = objects.read_tree(found ? found->oid : tree);
    const auto named = [&](const TreeEntry& entry) { return entry.name == component; };
    const auto entry = std::find_if(entries.begin(), entries.end(), named);
    if (entry == entries.end()) return std::nullopt;
    found = *entry;
  }
  return found;
}

}  // namespace wafers::git
