#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/base/live_base.h"
#include "core/state/store.h"

namespace wafers {

struct EnterRequest {
  std::string name;
  std::optional<std::string> cwd;        ///< from the root of the view, or absolute in the view
  std::vector<std::string> environment;  ///< "K=V", after our own
  std::vector<std::string> command;      ///< empty: an interactive shell
};

/// The command itself could not be run; errnum() says why (ENOENT: not found).
class CommandNotRun : public Error {
 public:
  explicit CommandNotRun(Error error) : Error(std::move(error)) {}
};

/// Enters the view, mounting it first where needed, and replaces this process, which must have a
/// single thread, with the command: same uid, gid, terminal and descriptors; privileges as
/// MountedView::enter() has it; `prepare` as for ensure_healed(). Throws CommandNotRun, or Error
/// for everything before.
[[noreturn]] void enter_and_execute(const Store& store, const EnterRequest& request,
                                    const PrepareLayers& prepare);

}  // namespace wafers
