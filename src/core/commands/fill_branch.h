#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/repository/repository.h"
#include "linux/upper.h"

namespace wafers {

/// Puts what an existing branch changed since the base into an empty upper, as committed work:
/// files straight from the object database (attribute filters applied, modes and symlinks as
/// checkout makes them, umask heeded), whiteouts for what is deleted, and a whiteout for a base
/// directory that becomes empty. Directories that exist in the base keep its mode. Base worktree
/// and index are only read. Attributes are those of the tip's tree. Returns the stat data of the
/// files written, so that the first status need not read them. `warnings`, where given, gets what
/// git would warn of. Throws Error(failed), and Error(unsupported) for names that the dialect takes
/// for its own marks; the caller removes the upper then. Filter programs run in the upper, and what
/// they write there is in the view, as it would be in git's worktree.
git::IndexFile attach_branch(const git::Repository& repository, const std::filesystem::path& upper,
                             UpperDialect dialect, const git::Oid& base_tree,
                             const git::Oid& tip_tree,
                             std::vector<std::string>* warnings = nullptr);

}  // namespace wafers
