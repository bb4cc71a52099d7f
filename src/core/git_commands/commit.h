#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/wafer.h"

namespace wafers {

// The git side as the command line sees it. All of this runs outside the namespace and works on an
// unmounted wafer; the caller holds the wafer's lock and has flushed the view (Backend::flush).

/// Whether a commit is signed.
enum class Signing { configured, yes, no };

/// Whether the repository's commit hooks run: `configured` heeds wafers.verify, which is false by
/// default.
enum class Hooks { configured, run, skip };

struct CommitRequest {
  std::vector<std::string> messages;                  ///< -m, joined as paragraphs
  std::optional<std::filesystem::path> message_file;  ///< -F; "-" is standard input
  std::optional<std::string> author;  ///< "Name <email>", or a pattern for an author in history
  bool allow_empty = false;
  Signing signing = Signing::configured;
  std::string signing_key;  ///< --gpg-sign=<keyid>; empty for the configured one
  Hooks hooks = Hooks::configured;
  std::vector<std::string> paths;  ///< from the wafer's root; empty for everything
};

struct CommitResult {
  std::string commit, tree, parent;  ///< hexadecimal
  std::string branch, short_id, subject;
  std::size_t files_changed = 0;
  std::string summary;  ///< " 2 files changed, 1 insertion(+)", with rename detection as git counts
  std::vector<std::string> warnings;
};

/// Commits what is staged, or the view (or only `paths` of it), onto the wafer's branch.
/// `about_to_move` is called with the new commit before the ref moves, to be made durable by the
/// caller (Wafer::pending_commit), together with Wafer::pending_staged_tree, which is set by then.
/// Afterwards Wafer::staged_tree says what is still staged; the caller saves that with the new tip.
/// Before a hook runs, `mount_view` makes sure that the wafer is mounted, and its record true.
/// Throws Error(failed) where there is nothing to commit, for an empty message, a missing
/// identity, a signature that can't be made, a hook that fails or a branch that is gone;
/// Error(usage) for a path that is absolute, has "..", or matches nothing; Error(refused) where the
/// branch is not at `wafer.last_commit` or a worktree uses it. Nothing has changed then.
CommitResult commit_view(Wafer& wafer, const CommitRequest& request,
                         const std::function<void(const std::string& commit)>& about_to_move,
                         const std::function<void()>& mount_view = {});

struct StatusEntry {
  std::string path;         ///< raw bytes; an untracked directory ends in '/'
  char index_column = ' ';  ///< what is staged, against the tip
  char view_column = ' ';   ///< what the view has, against what is staged
  std::string old_path;     ///< where what is staged was renamed from; else empty
};
struct StatusResult {
  std::vector<StatusEntry> entries;  ///< in git's order: tracked by path, then untracked by path
  std::vector<std::string> lines;    ///< each entry as `git status --porcelain` prints it
  std::vector<std::string> warnings;
  std::string hint;  ///< on the last warning; may be empty
};
StatusResult status_of_view(const Wafer& wafer);

enum class DiffRange { base_to_tip, tip_to_view, base_to_view };
enum class DiffStyle { patch, stat, name_only, name_status };
struct DiffRequest {
  DiffRange range = DiffRange::base_to_tip;
  DiffStyle style = DiffStyle::patch;
  std::optional<std::string> colour;  ///< always, never or auto; else as git is configured
  bool to_terminal =
      false;  ///< a person reads: textconv and external diffs count where they are set
  std::vector<std::string> paths;
};

/// What to do with changes inside a submodule.
inline constexpr const char* kSubmoduleRemedy =
    "copy it into a checkout of the submodule and commit it there";

struct UncommittedWork {
  std::vector<std::string> lines;  ///< empty if the view equals the tip
  std::string remedy;              ///< how to keep it: "commit it with ..."
};

/// Whether `rm` would lose something: modified, deleted or untracked (not ignored) files against
/// the tip, or a tip that no ref leads to. At most `limit` porcelain lines. A wafer whose base
/// repository is gone gives a line that says so.
UncommittedWork uncommitted_work(const Wafer& wafer, std::size_t limit);

}  // namespace wafers
