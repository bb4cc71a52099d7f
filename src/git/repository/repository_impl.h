#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "git/objects/database_store.h"
#include "git/objects/handle.h"
#include "git/refs/ref_files.h"
#include "git/repository/config.h"
#include "git/repository/layout.h"
#include "git/repository/repository.h"

namespace wafers::git {

struct Repository::Impl {
  Layout layout;
  Config config;
  RepositoryHandle handle;
  RefFiles refs;
  /// When the first date was asked for: author and committer get the same where none is set.
  mutable std::optional<Date> now;
  std::filesystem::path own_worktree;  ///< Repository::act_for_worktree()
  const Date& start_date() const;

  std::filesystem::path objects_dir() const { return layout.common_dir / "objects"; }
};

/// For src/git alone: what is behind a Repository.
struct RepositoryAccess {
  static const Repository::Impl& of(const Repository& repository) { return *repository.impl_; }
};

/// libgit2's handle on a repository whose layout and format have been checked.
RepositoryHandle open_handle(const Layout& layout);

/// What a new ObjectStore needs to know.
DatabaseStore::Settings store_settings(const Layout& layout, const Config& config);

}  // namespace wafers::git
