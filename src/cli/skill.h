#pragma once

#include <string_view>

namespace wafers {

/// docs/SKILL.md, as it was when this was built: how a coding agent works in its wafer.
std::string_view skill_text();

}  // namespace wafers
