#pragma once

#include <string_view>

#include "git/objects/object.h"

namespace wafers::git {

/// The name of the blob with this content, without libgit2: on any thread.
Oid blob_id(std::string_view content);

}  // namespace wafers::git
