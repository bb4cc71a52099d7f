#pragma once

#include <string>

#include "core/store.h"

namespace wafers {

struct RemoveOptions {
  bool force = false;  ///< even if the view holds work that is not committed
  bool kill = false;   ///< end the processes that are inside
};

struct RemoveResult {
  std::string name;
  std::string branch;  ///< kept, with its commits; empty if the record could not be read
  std::string last_commit;
};

/// `wafers rm` for one wafer: unmounts, ends the holder, and removes its state and its mountpoint.
/// Throws Error(refused) where the view differs from the tip, or the record can't be read, unless
/// forced; Error(busy), naming processes, where some are inside and are not to be killed; nothing
/// has changed then. Throws Error(failed) naming what can't be removed; calling it again goes on.
/// `warn` hears of what is left behind on purpose.
RemoveResult remove_wafer(const Store& store, const std::string& name, const RemoveOptions& options,
                          const Notify& warn);

}  // namespace wafers
