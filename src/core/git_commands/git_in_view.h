#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/state/wafer.h"
#include "git/index/index_file.h"
#include "git/repository/repository.h"
#include "os/spawn.h"

namespace wafers {

/// A Git directory for git and its hooks in the mounted view, for as long as it lives: HEAD is the
/// wafer's branch, the index is what it is given, the rest is the repository's. It is in no list of
/// worktrees.
class GitInView {
 public:
  /// The wafer must be mounted, and its lock held for as long as this lives; both are borrowed.
  /// Throws Error(failed) where the directory can't be made.
  GitInView(const Wafer& wafer, const git::Repository& repository, const git::IndexFile& index);
  GitInView(const GitInView&) = delete;
  GitInView& operator=(const GitInView&) = delete;
  /// Removes the directory.
  ~GitInView();

  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::filesystem::path index() const { return directory_ / "index"; }

  /// For what runs in the view. An editor that a hook starts would wait for ever: there is none for
  /// it (git's run_commit_hook).
  enum class Editor { none, users };
  std::vector<std::string> environment(Editor editor = Editor::none) const;

  /// The tree of what the index has by now. Throws Error(failed) where that is none.
  git::Oid tree() const;

  /// Runs a program in the view, as `wafers exec` would: its exit status, or 128 + the signal.
  /// Throws Error(failed).
  int run(const Command& command) const;

 private:
  const Wafer& wafer_;
  const git::Repository& repository_;
  std::filesystem::path directory_;
};

}  // namespace wafers
