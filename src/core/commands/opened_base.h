#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "git/repository/repository.h"
#include "git/repository/revision.h"

namespace wafers {

/// A checkout, and the commit of its repository that wafers are to start from.
struct OpenedBase {
  git::Repository repository;
  git::Oid head;  ///< of the checkout
  git::NamedCommit commit;
};

/// The checkout that `from` lies in, with the commit that `revision` stands for, else that at HEAD.
/// Throws Error(failed) where there is none, or no commit yet, and Error(unsupported) for what
/// wafers can't serve.
OpenedBase open_base(const std::filesystem::path& from, const std::optional<std::string>& revision);

}  // namespace wafers
