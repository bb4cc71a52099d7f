#include "core/git_commands/filter_directory.h"

#include <system_error>

#include "core/view/backends.h"

namespace wafers {

std::filesystem::path filter_directory(const Wafer& wafer) {
  const MountState state = make_backend(wafer.backend)->state(wafer);
  std::error_code unreachable;
  const bool visible = state.status == WaferStatus::mounted && state.view &&
                       std::filesystem::is_directory(*state.view, unreachable);
  return visible ? *state.view : wafer.upper();
}

}  // namespace wafers
