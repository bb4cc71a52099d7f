#pragma once

#include <filesystem>
#include <string_view>

#include "base/fd.h"

namespace wafers {

/// An empty directory of a new name in `directory`, removed with its content at the end of the
/// scope. It is claimed by this process and the children that it forks, so that no process takes it
/// for one that was left behind (os/claim.h). Throws Error(failed) where it can't be made.
class Scratch {
 public:
  Scratch(const std::filesystem::path& directory, std::string_view prefix);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  UniqueFd claim_;
};

}  // namespace wafers
