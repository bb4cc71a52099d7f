#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/state/wafer.h"

namespace wafers {

/// No document is larger, in bytes: one that is, is none.
inline constexpr std::size_t kLargestMetadata = std::size_t{1} << 20U;

/// The wafer as a JSON document, with its Wafer::unknown_keys unless it would be too large to be
/// read again. Strings that are not UTF-8 (paths, branches) survive: they are stored as
/// {"hex": "..."}.
std::string encode_metadata(const Wafer& wafer);

/// The wafer in a document, without its directory. What its fields say need not make sense
/// (core/state/record_check.h). Throws Error(failed) whose message is the reason alone, such as
/// "key 'branch' is missing".
Wafer decode_metadata(std::string_view document);

}  // namespace wafers
