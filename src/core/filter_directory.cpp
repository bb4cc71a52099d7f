#include "core/filter_directory.h"

#include <system_error>

#include "core/backend.h"

namespace wafers {

std::filesystem::path filter_directory(const Wafer& wafer) {
  const MountState state = make_backend(wafer.backend)->state(wafer);
  std::error_code unreachable;
  const bool visible = state.status == WaferStatus::mounted && state.host_path &&
                       std::filesystem::is_directory(*state.host_path, unreachable);
  return visible ? *state.host_path : wafer.upper();
}

std::vector<std::string> filter_environment(const git::Repository& repository,
                                            const std::string& directory) {
  return {"GIT_DIR=" + repository.git_dir().native(), "GIT_WORK_TREE=" + directory,
          "PWD=" + directory, "GIT_OPTIONAL_LOCKS=0"};
}

}  // namespace wafers
