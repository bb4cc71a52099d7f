#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/repository/repository.h"
#include "linux/upper.h"

namespace wafers {

/// Two trees of a repository.
struct TreePair {
  git::Oid from;
  git::Oid to;
};

/// The layers that show a tree, topmost first, and the marks that they and what is written above
/// them have.
struct LayersBelow {
  std::vector<std::filesystem::path> layers;
  UpperDialect dialect = UpperDialect::kernel_user;
};

/// Writes into the empty directory `target`, in the form of an upper, what makes a view of layers
/// that show the tree `from` show the tree `to`: files straight from the object database (attribute
/// filters applied, modes and symlinks as checkout makes them, umask heeded), whiteouts for what
/// `to` lacks, and a whiteout for a directory that becomes empty. Directories that the layers have
/// keep their mode. The layers are only read. Attributes are those of the tree `to`. Returns the
/// stat data of the files written, so that the first status need not read them. `warnings`, where
/// given, gets what git would warn of. Throws Error(failed), and Error(unsupported) for names that
/// the dialect takes for its own marks; the caller removes the target then. Filter programs run in
/// the target, and what they write there is in the view, as it would be in git's worktree.
git::IndexFile write_difference(const git::Repository& repository,
                                const std::filesystem::path& target, const LayersBelow& below,
                                const TreePair& trees,
                                std::vector<std::string>* warnings = nullptr);

}  // namespace wafers
