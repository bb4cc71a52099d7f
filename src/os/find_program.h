#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wafers {

/// Where a program is on PATH; absent where it isn't.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace wafers
