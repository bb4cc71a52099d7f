#pragma once

#include <filesystem>
#include <vector>

namespace wafers {

/// For the mount namespace of a user namespace in which the caller has CAP_SYS_ADMIN: shows each of
/// `files` as a copy that is the caller's own, taken now. One that can't be read is left as it is.
/// The copies lie in `directory`, on a file system that only this namespace has; whether they can
/// be written is its matter. Throws Error(failed); some may be shown then.
void show_as_own(const std::vector<std::filesystem::path>& files,
                 const std::filesystem::path& directory);

}  // namespace wafers
