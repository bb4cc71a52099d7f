#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/git_commands/salvage.h"
#include "core/state/store.h"
#include "core/view/bystanders.h"

namespace wafers {

struct RemoveOptions {
  bool force = false;          ///< even if the view holds work that is not committed
  bool salvage = true;         ///< with `force`: keeps that work (core/git_commands/salvage.h)
  bool kill = false;           ///< end the processes that are inside
  bool delete_branch = false;  ///< as `git branch -d` does
};

/// What is there of a removed wafer's branch.
enum class BranchLeft {
  unknown,  ///< the record or the repository could not be read
  kept,
  deleted,  ///< by this rm
  gone,     ///< it was not there any more
};

struct RemoveResult {
  std::string name;
  std::string branch;  ///< empty if the record could not be read
  BranchLeft branch_left = BranchLeft::unknown;
  std::string last_commit;
  std::optional<Salvage> salvaged;
};

/// `wafers rm` of wafers, one after the other.
class Remover {
 public:
  /// Takes away what killed commands left, and looks once for all of `names` at what each removal
  /// would otherwise look at. `store` must outlive this object. `warn` hears of what is left behind
  /// on purpose.
  Remover(const Store& store, const std::vector<std::string>& names, const RemoveOptions& options,
          Notify warn);
  Remover(const Remover&) = delete;
  Remover& operator=(const Remover&) = delete;
  /// Gives back the layers that the removed wafers were the last to use.
  ~Remover();

  /// Removes one of the wafers: unmounts, ends the holder, and removes its state and its
  /// mountpoint.
  /// Throws Error(refused) where the view differs from the tip, no ref leads to the tip, or the
  /// record can't be read, unless forced, where forced and what would be lost can't be kept, and
  /// where the branch is to be deleted and git would not; Error(busy), naming processes, where some
  /// are inside and are not to be killed; nothing has changed then. Throws Error(failed) naming
  /// what can't be removed; calling it again goes on.
  RemoveResult remove(const std::string& name);

  /// The same for one that is not completely made or removed; false where it is, or gone, by the
  /// time that it is locked.
  bool remove_unfinished(const std::string& name);

 private:
  RemoveResult remove_locked(LockedWafer wafer);

  const Store& store_;
  RemoveOptions options_;
  Notify warn_;
  Bystanders bystanders_;
  bool had_shared_layers_ = false;
};

}  // namespace wafers
