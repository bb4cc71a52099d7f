#include "os/find_program.h"

#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace wafers {

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  for (const std::string& directory : split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    const std::filesystem::path candidate = std::filesystem::path(directory) / name;
    std::error_code error;
    if (candidate.is_absolute() && std::filesystem::is_regular_file(candidate, error) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace wafers
