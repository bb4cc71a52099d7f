#include "core/git_commands/commit.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/moved_content.h"
#include "core/git_commands/commit_message.h"
#include "core/git_commands/hooks.h"
#include "core/git_commands/message_editor.h"
#include "core/git_commands/stage.h"
#include "core/git_commands/status.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/inside/head_log.h"
#include "core/inside/index_change.h"
#include "git/diff/diff.h"
#include "git/repository/ident.h"
#include "git/text/quote.h"

namespace wafers {
namespace {

void require_branch_in_place(const Wafer& wafer, const WaferGit& git) {
  const auto trouble = branch_trouble(wafer, git, git.tip);
  if (!trouble) return;
  throw Error(trouble->gone ? ErrorKind::failed : ErrorKind::refused,
              trouble->what + ": nothing was committed", trouble->remedy);
}

/// A path that is ignored and a path that doesn't exist are both the caller's mistake.
void require_known_paths(const Snapshot& snapshot) {
  require_matched(snapshot.unmatched_paths);
  if (snapshot.ignored_paths.empty()) return;
  throw Error(ErrorKind::usage, "path " + in_quotes(snapshot.ignored_paths.front()) + " is ignored",
              "an ignored file is committed once the ignore rule is gone");
}

[[noreturn]] void nothing_to_commit(bool partial, const std::vector<std::string>& submodules,
                                    const std::vector<std::string>& unreadable) {
  if (!submodules.empty()) {
    throw Error(ErrorKind::failed,
                "no changes to commit: submodule " + in_quotes(submodules.front()) +
                    " has modified or untracked content",
                std::string(kSubmoduleRemedy) + ", or discard it");
  }
  throw Error(
      ErrorKind::failed,
      partial ? "nothing to commit in the given paths" : "nothing to commit, working tree clean",
      unreadable.empty() ? std::string() : unreadable.front());
}

/// Git checks the whole commit object, with the names in it.
bool conforms_to_utf8(const git::Repository::CommitRequest& commit) {
  std::string text = commit.author.name + commit.committer.name + "\n" + commit.message;
  return !commit.encoding.empty() || git::ensure_utf8(text);
}

std::optional<std::string> signing_key(const CommitRequest& request,
                                       const git::Repository& repository) {
  const bool configured =
      request.signing == Signing::configured && repository.config_bool("commit.gpgSign", false);
  if (request.signing == Signing::yes || configured) return request.signing_key;
  return std::nullopt;
}

/// All but the tree. What is amended gives its parents, and what isn't given anew.
git::Repository::CommitRequest prepared_commit(const CommitRequest& request, const WaferGit& git) {
  const git::Repository& repository = git.repository;
  git::Repository::CommitRequest commit;
  if (request.amend) commit = repository.request_of(git.tip);
  const bool has_message = !request.messages.empty() || request.message_file;
  if (has_message || !(request.amend || request.edit)) {
    commit.message = message_of(request, repository);
  }
  if (has_message || request.edit || !request.amend) commit.encoding = commit_encoding(repository);
  if (!request.amend || request.author) commit.author = author_of(request, repository);
  if (request.author_date) {
    const git::Date date = git::read_date(*request.author_date, "--date");
    commit.author.seconds = date.seconds;
    commit.author.offset_minutes = date.offset_minutes;
  }
  commit.committer = repository.identity(git::Repository::Role::committer);
  if (request.sign_off && !request.edit) {
    commit.message = with_sign_off(commit.message, commit.committer, repository);
  }
  if (!request.edit) require_message(commit.message, repository);
  commit.signing_key = signing_key(request, repository);
  if (!request.amend) commit.parents = {git.tip};
  return commit;
}

void require_amendable(const Wafer& wafer, const WaferGit& git) {
  if (git.tip.hex() != wafer.base_commit) return;
  throw Error(
      ErrorKind::refused,
      "branch " + in_quotes(wafer.branch) +
          " has no commit of its own that could be amended: its last one is the base commit");
}

/// What a commit is compared with: the tree of its first parent, or the empty one.
git::Oid tree_before(const git::Repository::CommitRequest& commit, const WaferGit& git,
                     git::ObjectStore& objects) {
  if (commit.parents.empty()) return objects.write_tree({});
  return commit.parents.front() == git.tip ? git.tip_tree
                                           : git.repository.tree_of(commit.parents.front());
}

/// builtin/commit.c: update_head_with_reflog() takes the first line, not the subject.
std::string reflog_message(const std::string& message, bool amend) {
  return (amend ? "commit (amend): " : "commit: ") + message.substr(0, message.find('\n'));
}

/// What is to be committed.
struct Content {
  git::Oid tree;
  git::Oid index_tree;                  ///< what is staged once that is committed
  std::optional<git::IndexFile> index;  ///< to be written then; absent where it stays as it is
  std::vector<std::string> warnings;
  std::vector<std::string> modified_submodules;  ///< in what was looked at
  std::vector<std::string> unreadable;
};

/// All of the view, or `paths` of it: what else is staged stays so (git commit --only).
Content content_of_view(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                        const std::vector<std::string>& paths) {
  Snapshot snapshot =
      take_snapshot(snapshot_input(wafer, git, objects, SnapshotPurpose::commit, paths));
  require_known_paths(snapshot);
  require_committable(snapshot);
  Content content{.tree = snapshot.tree,
                  .index_tree = snapshot.tree,
                  .index = std::move(snapshot.index),
                  .warnings = std::move(snapshot.warnings),
                  .modified_submodules = std::move(snapshot.modified_submodules),
                  .unreadable = std::move(snapshot.unreadable)};
  if (has_staged(git) && !paths.empty()) {
    content.tree = tree_with_paths_of(objects, git.tip_tree, snapshot.tree, paths);
    content.index = full_index(git, objects, content.index_tree, *content.index);
  }
  return content;
}

Content content_staged(const WaferGit& git) {
  return {.tree = git.index_tree,
          .index_tree = git.index_tree,
          .index = {},
          .warnings = {},
          .modified_submodules = {},
          .unreadable = {}};
}

/// What is staged, and on top of it what the view has at paths that are tracked: git commit --all.
Content content_of_tracked(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects) {
  const auto looked_at = git.repository.objects(git::Writes::to_memory);
  const Snapshot status =
      take_snapshot(snapshot_input(wafer, git, *looked_at, SnapshotPurpose::status));
  std::vector<std::string> modified;
  std::vector<std::string> deleted;
  for (const ViewChange& found : status.changes) {
    if (found.untracked) continue;
    (found.change.new_mode == git::FileMode::absent ? deleted : modified)
        .push_back(found.change.path);
  }
  Content content = content_staged(git);
  if (!modified.empty()) {
    content = content_of_view(wafer, git, objects, modified);
    content.tree = content.index_tree;
  }
  if (!deleted.empty()) {
    content.tree = tree_with_paths_of(objects, content.tree, objects.write_tree({}), deleted);
  }
  content.index_tree = content.tree;
  content.index = full_index(git, objects, content.tree, content.index.value_or(git::IndexFile{}));
  return content;
}

/// All that a commit prints. Nothing of it may fail once the branch has moved.
CommitResult result_of(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                       const git::Repository::CommitRequest& commit, const git::Oid& before,
                       const git::Oid& oid) {
  CommitResult result;
  result.commit = oid.hex();
  result.tree = commit.tree.hex();
  if (!commit.parents.empty()) result.parent = commit.parents.front().hex();
  result.branch = wafer.branch;
  result.subject = shown_subject(commit.message, git.repository);
  result.short_id = git.repository.short_id(oid);
  const git::DiffCounts counts = git::count_diff(git.repository, objects, before, commit.tree);
  result.files_changed = counts.files;
  result.summary = counts.summary();
  if (!conforms_to_utf8(commit)) {
    result.warnings.emplace_back("commit message did not conform to UTF-8");
  }
  return result;
}

bool hooks_wanted(const CommitRequest& request, const Wafer& wafer,
                  const git::Repository& repository) {
  const bool configured =
      request.hooks == Hooks::configured && repository.config_bool("wafers.verify", false);
  return (request.hooks == Hooks::run || configured) && has_commit_hooks(wafer, repository);
}

/// The index that git's hooks find, and the hooks that come before a commit: they may change what
/// is committed, and the message, which `editor` lets the user write where there is one.
std::unique_ptr<CommitHooks> run_hooks_before(const Wafer& wafer, const WaferGit& git,
                                              git::ObjectStore& objects, Content& content,
                                              git::Repository::CommitRequest& commit, bool partial,
                                              const MessageEditor* editor) {
  const git::IndexFile none;
  const git::IndexFile& known = content.index ? *content.index : none;
  const bool usable = content.index && !partial;
  git::IndexFile index = usable ? known : full_index(git, objects, content.tree, known);
  copy_marks(git.base_index, index);
  auto hooks = std::make_unique<CommitHooks>(wafer, git.repository, index);
  if (const auto tree = hooks->before_commit()) {
    if (!partial) {
      content.index_tree = *tree;
      content.index = full_index(git, objects, *tree, known);
    }
    content.tree = *tree;
  }
  if (editor != nullptr) {
    commit.message = editor->message_in(hooks->edited_message(
        editor->text(), [&](const std::filesystem::path& file) { editor->edit(file); }));
  } else {
    commit.message = cleaned_message(hooks->edited_message(commit.message), git.repository);
  }
  require_message(commit.message, git.repository);
  return hooks;
}

/// The branch has moved. Where this fails, what the record says of a commit that is pending lets
/// the next command do it.
bool change_index(IndexChange& change, std::vector<std::string>& warnings) {
  try {
    change.commit();
    return true;
  } catch (const Error& error) {
    warnings.push_back(error.message() +
                       "; the commit is made, and the next command lets git inside see it");
    return false;
  }
}

}  // namespace

CommitResult commit_view(Wafer& wafer, const CommitRequest& request,
                         const std::function<void(const std::string& commit)>& about_to_move,
                         const std::function<void()>& mount_view) {
  const std::vector<std::string> paths = clean_paths(request.paths);
  WaferGit git = open_wafer_git(wafer);
  require_branch_in_place(wafer, git);
  if (request.amend) require_amendable(wafer, git);
  git::Repository::CommitRequest commit = prepared_commit(request, git);

  const auto objects = git.repository.objects(git::Writes::to_database);
  const git::Oid before = tree_before(commit, git, *objects);
  const bool staged = has_staged(git) && request.paths.empty() && !request.all_tracked;
  Content content = staged                ? content_staged(git)
                    : request.all_tracked ? content_of_tracked(wafer, git, *objects)
                                          : content_of_view(wafer, git, *objects, paths);
  // builtin/commit.c: a merge that is amended may change nothing of its first parent's files.
  const bool may_be_empty = request.allow_empty || commit.parents.size() > 1;
  const auto require_something = [&] {
    if (content.tree == before && !may_be_empty) {
      nothing_to_commit(!paths.empty(), content.modified_submodules, content.unreadable);
    }
  };
  require_something();
  if (!staged && !request.accept_moved) {
    refuse_taken(wafer,
                 taken_from_moved_base(wafer, git.repository, *objects,
                                       {git.base_tree, git.tip_tree}, paths),
                 "nothing was committed");
  }
  objects->flush();
  std::optional<MessageEditor> editor;
  if (request.edit) {
    editor.emplace(git.repository, wafer.branch, commit.message,
                   request.sign_off ? &commit.committer : nullptr,
                   git::changed_paths(*objects, before, content.tree));
  }
  std::unique_ptr<CommitHooks> hooks;
  if (hooks_wanted(request, wafer, git.repository)) {
    mount_view();
    hooks = run_hooks_before(wafer, git, *objects, content, commit, !paths.empty(),
                             editor ? &*editor : nullptr);
    require_something();
  } else if (editor) {
    commit.message = editor->write_in(wafer.directory / "COMMIT_EDITMSG");
    require_message(commit.message, git.repository);
  }

  commit.tree = content.tree;
  const git::Oid oid = git.repository.write_commit(commit);
  CommitResult result = result_of(wafer, git, *objects, commit, before, oid);
  result.warnings.insert(result.warnings.end(), content.warnings.begin(), content.warnings.end());
  wafer.pending_staged_tree = staged_tree_of(content.index_tree, content.tree);
  std::optional<IndexChange> inside;
  if (git.inside) {
    wafer.staged_tree = git.index_tree.hex();  // tells whether the index was changed already
    inside.emplace(wafer, git.repository, *git.inside, content.index_tree);
  }
  about_to_move(oid.hex());
  const std::string log = reflog_message(commit.message, request.amend);
  git.repository.move_branch(wafer.branch, git.tip, oid, commit.committer, log);
  if (inside) log_in_head(wafer, git.repository, git.tip, oid, commit.committer, log);
  if (!inside) {
    wafer.staged_tree = std::exchange(wafer.pending_staged_tree, {});
  } else if (change_index(*inside, result.warnings)) {
    wafer.staged_tree.clear();
    wafer.pending_staged_tree.clear();
  }
  if (content.index) write_index(wafer, *content.index, result.warnings);
  if (hooks) hooks->after_commit(result.warnings);
  return result;
}

}  // namespace wafers
