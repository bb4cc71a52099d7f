#pragma once

#include <string>
#include <string_view>

#include "core/wafer.h"

namespace wafers {

/// The wafer as a JSON document. Keys of `previous`, an earlier document (may be empty or damaged),
/// that this version doesn't know are kept: a newer wafers may have written them. Strings that are
/// not UTF-8 (paths, branches) survive: they are stored as {"hex": "..."}.
std::string encode_metadata(const Wafer& wafer, std::string_view previous);

/// The wafer in a document, without its directory. Throws Error(failed) whose message is the reason
/// alone, such as "key 'branch' is missing".
Wafer decode_metadata(std::string_view document);

}  // namespace wafers
