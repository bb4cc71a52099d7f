#pragma once

#include <string>

namespace wafers {

/// This moment in UTC, as strftime(3) puts it by `format`, to the second.
std::string utc_now(const char* format);

}  // namespace wafers
