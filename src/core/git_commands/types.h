#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace wafers {

// What the commands of the git side are asked for, and what they answer.

/// Whether a commit is signed.
enum class Signing { configured, yes, no };

/// Whether the repository's commit hooks run: `configured` heeds wafers.verify, which is false by
/// default.
enum class Hooks { configured, run, skip };

struct CommitRequest {
  std::vector<std::string> messages;                  ///< -m, joined as paragraphs
  std::optional<std::filesystem::path> message_file;  ///< -F; "-" is standard input
  std::optional<std::string> author;  ///< "Name <email>", or a pattern for an author in history
  std::optional<std::string> author_date;  ///< as git takes it in GIT_AUTHOR_DATE
  bool edit = false;         ///< where there is no message, the user's editor gets one to write
  bool all_tracked = false;  ///< -a: what is staged, and every change to a tracked file
  bool allow_empty = false;
  bool amend = false;     ///< in the place of the branch's last commit, with its message and author
                          ///< where no others are given
  bool sign_off = false;  ///< with a Signed-off-by trailer of the committer
  bool accept_moved = false;  ///< also what was taken from a base that has moved
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

struct StageRequest {
  std::vector<std::string> paths;
  bool force = false;         ///< also ignored files
  bool accept_moved = false;  ///< also what was taken from a base that has moved
};

struct StagedChange {
  std::string path;
  char letter = 'M';  ///< as in the first column of `git status --porcelain`, renames apart
};

struct StageResult {
  std::string tree;                   ///< what is staged now, hexadecimal
  std::vector<StagedChange> changes;  ///< of it against the tip, in index order
  std::vector<std::string> warnings;
};

struct StatusEntry {
  std::string path;         ///< raw bytes; an untracked directory ends in '/'
  char index_column = ' ';  ///< what is staged, against the tip
  char view_column = ' ';   ///< what the view has, against what is staged
  std::string old_path;     ///< where what is staged was renamed from; else empty
};
struct StatusResult {
  std::vector<StatusEntry> entries;  ///< in git's order: tracked by path, then untracked by path
  std::vector<std::string> lines;    ///< each entry as `git status --porcelain` prints it
  std::vector<std::string> taken;    ///< paths: core/git_commands/moved_content.h
  std::vector<std::string> warnings;
  std::string hint;                   ///< on the last warning; may be empty
  std::optional<std::string> colour;  ///< color.status or color.ui, as it is configured
};
enum class DiffRange { base_to_tip, tip_to_staged, tip_to_view, base_to_view };
enum class DiffStyle { patch, stat, numstat, name_only, name_status };
struct DiffRequest {
  DiffRange range = DiffRange::base_to_tip;
  DiffStyle style = DiffStyle::patch;
  std::vector<std::string> options;   ///< of git's own: -U<n>, -w
  std::optional<std::string> colour;  ///< always, never or auto; else as git is configured
  bool to_terminal =
      false;  ///< a person reads: textconv and external diffs count where they are set
  std::vector<std::string> paths;
};

}  // namespace wafers
