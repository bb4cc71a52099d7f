#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "core/commands/list.h"

namespace wafers::cli {

/// The list of `add` and `ls`, as the contract has it; what is absent is null.
nlohmann::json to_json(const std::vector<WaferInfo>& wafers);

/// A path or name; git's quoting where it is not UTF-8.
nlohmann::json text_to_json(std::string_view text);

}  // namespace wafers::cli
