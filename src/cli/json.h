#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/commands/list.h"
#include "core/commands/starting_point.h"

namespace wafers::cli {

/// The list of `add` and `ls`, as the contract has it; what is absent is null.
nlohmann::json to_json(const std::vector<WaferInfo>& wafers);

/// What wafers start from.
nlohmann::json start_to_json(const StartingPoint& base);
/// The same for people: "1c5e9a2 (main) Subject".
std::string described(const StartingPoint& base);

nlohmann::json paths_to_json(const std::vector<std::filesystem::path>& paths);

/// A path or name; git's quoting where it is not UTF-8.
nlohmann::json text_to_json(std::string_view text);

}  // namespace wafers::cli
