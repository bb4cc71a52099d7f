#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wafers {

/// The helper program `name`, which wafers starts, or lets be started, and which isn't on PATH: in
/// ../libexec/wafers/, beside this program, or in ../helper/ seen from it, else where it is to be
/// installed. nullopt where it is in none of these.
std::optional<std::filesystem::path> find_helper(const std::string& name);

}  // namespace wafers
