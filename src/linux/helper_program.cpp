#include "linux/helper_program.h"

#include <unistd.h>

#include <system_error>

namespace wafers {

namespace fs = std::filesystem;

std::optional<fs::path> find_helper(const std::string& name) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& directory :
       {here / "../libexec/wafers", here, here / "../helper", fs::path(WAFERS_HELPERS)}) {
    fs::path program = (directory / name).lexically_normal();
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

}  // namespace wafers
