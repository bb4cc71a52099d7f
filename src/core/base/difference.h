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

/// What the layers below an upper show, and what a view of the upper over them shows.
struct ViewTrees {
  git::Oid layers;
  git::Oid view;
};

/// Changes an upper, which over layers that show `before.layers` makes a view of `before.view`,
/// into one that over `below`, which show `after.layers`, makes one of `after.view`: files straight
/// from the object database (attribute filters applied, modes and symlinks as checkout makes them,
/// umask heeded), whiteouts for what the view lacks, and a whiteout for a directory that becomes
/// empty. What both trees of the view have stays as it is, and so does what no tree of the view
/// has, such as ignored files. Files are replaced and never written to, so that they may have other
/// names elsewhere. Directories that the layers have keep their mode. The layers are only read.
/// Attributes are those of `after.view`. Returns the stat data of the files written, so that the
/// first status need not read them. `warnings`, where given, gets what git would warn of. Throws
/// Error(failed), Error(unsupported) for names that the dialect takes for its own marks, and
/// Error(refused), naming them, where files that no tree has are in the way; the upper is of no use
/// then. Filter programs run in the upper, and what they write there is in the view, as it would be
/// in git's worktree.
git::IndexFile change_upper(const git::Repository& repository, const std::filesystem::path& upper,
                            const LayersBelow& below, const ViewTrees& before,
                            const ViewTrees& after, std::vector<std::string>* warnings = nullptr);

/// Writes into the empty directory `target`, in the form of an upper, what makes a view of layers
/// that show the tree `from` show the tree `to`. As change_upper() otherwise.
git::IndexFile write_difference(const git::Repository& repository,
                                const std::filesystem::path& target, const LayersBelow& below,
                                const TreePair& trees,
                                std::vector<std::string>* warnings = nullptr);

}  // namespace wafers
