#pragma once

#include <optional>
#include <string_view>

#include "core/snapshot/nested_repo.h"
#include "git/repository/repository.h"
#include "linux/merged_dir.h"
#include "linux/upper.h"

namespace wafers {

/// One directory of a submodule: what the upper has of it, and the lower's if that shows through.
struct SubmoduleDir {
  UpperDir upper;
  std::optional<MergedDir> lower;
};

/// Whether a submodule's untracked files count.
enum class UntrackedContent { counts, ignored };

/// Whether git's status would say "modified content" or "untracked content" of a submodule, as far
/// as the upper can have made it so: the lower's part was clean. Only what the upper holds is
/// compared with the submodule's own index. Clean filters of the submodule are not applied; where
/// in doubt, and where something can't be read, it counts as modified.
bool is_submodule_modified(const SubmoduleDir& dir, const NestedRepoFinder::Contents& contents,
                           std::string_view excludes_file, git::ObjectStore& objects,
                           UntrackedContent untracked);

}  // namespace wafers
