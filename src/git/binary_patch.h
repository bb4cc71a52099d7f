#pragma once

#include <string>
#include <string_view>

namespace wafers::git {

/// What `git diff --binary` prints for a binary file behind its header: "GIT binary patch" and how
/// to get from `before` to `after`, and back. A side that doesn't exist is empty. `level` is
/// zlib's. Throws Error(failed).
std::string binary_patch(std::string_view before, std::string_view after, int level);

}  // namespace wafers::git
