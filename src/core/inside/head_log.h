#pragma once

#include <string>

#include "core/state/wafer.h"
#include "git/objects/object.h"
#include "git/repository/repository.h"
#include "git/text/quote.h"

namespace wafers {

/// Notes in the reflog of HEAD in a view with git inside, which is on the wafer's branch, that the
/// branch was moved from outside. Where it can't be written nothing is lost: the branch's own has
/// the same.
void log_in_head(const Wafer& wafer, const git::Repository& repository, const git::Oid& before,
                 const git::Oid& after, const git::Identity& who,
                 const std::string& message) noexcept;

}  // namespace wafers
