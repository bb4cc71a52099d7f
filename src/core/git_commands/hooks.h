#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/git_commands/git_in_view.h"
#include "core/git_commands/wafer_git.h"
#include "core/state/wafer.h"
#include "git/index/index_file.h"
#include "git/repository/repository.h"

namespace wafers {

/// Whether the repository may have a hook that a commit runs. Where core.hooksPath is relative,
/// only the view could tell.
bool has_commit_hooks(const Wafer& wafer, const git::Repository& repository);

/// The repository's hooks around one commit, as `git commit` runs them, in the mounted view: as the
/// user, inside the wafer's namespaces, with a Git directory of their own in which HEAD is the
/// wafer's branch and the index is the one to be committed. What they print goes to stderr. The
/// base's worktree, index and HEAD are out of their reach unless they look for them.
class CommitHooks {
 public:
  /// `index` is what is about to be committed, in git's format. The wafer must be mounted, and its
  /// lock held for as long as this lives. Throws Error(failed) where the directory can't be made.
  CommitHooks(const Wafer& wafer, const git::Repository& repository, const git::IndexFile& index);

  /// pre-commit. Returns the tree to commit instead where the hook has changed the index. Throws
  /// Error(failed) where it fails.
  std::optional<git::Oid> before_commit();

  /// prepare-commit-msg and commit-msg, and `edit` of the message's file between them, if there is
  /// one: the message as they leave it. Throws Error(failed) where one fails, and what `edit`
  /// throws.
  std::string edited_message(const std::string& message,
                             const std::function<void(const std::filesystem::path&)>& edit = {});

  /// post-commit, whose failure changes nothing any more: told in `warnings`.
  void after_commit(std::vector<std::string>& warnings);

 private:
  /// Runs the hook if there is one; its exit status, or 128 + the signal.
  int run(const std::string& hook, const std::vector<std::string>& arguments);
  void require(const std::string& hook, const std::vector<std::string>& arguments);

  const Wafer& wafer_;
  std::filesystem::path hooks_;  ///< core.hooksPath, from the view's root
  GitInView git_;
};

}  // namespace wafers
