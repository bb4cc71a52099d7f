#pragma once

#include "core/commands/add_names.h"
#include "core/state/wafer.h"
#include "git/repository/repository.h"

namespace wafers {

/// Whether views of this checkout can be mounted in its place (`add --in-place`). Looks, makes
/// nothing. Throws Error(unsupported) for a backend that can't do so, and Error(refused) where what
/// is needed inside would be covered as well, or the place is called otherwise by those who use it.
void require_place(const git::Repository& repository, const AddRequest& request);

/// Throws Error(unsupported) unless `backend` has a namespace of each wafer's own.
void require_in_place(BackendKind backend);

}  // namespace wafers
