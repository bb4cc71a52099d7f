#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "git/objects/object.h"
#include "git/objects/object_store.h"
#include "git/repository/ident.h"
#include "git/text/quote.h"

namespace wafers::git {

class Config;  // git/repository/config.h

/// A worktree's repository through libgit2. Opening reads no index and no object. Everything throws
/// Error; git2.h shows nowhere outside src/git. Not for several threads at once.
class Repository {
 public:
  /// Opens the repository that the directory `inside` belongs to (git's discovery, up to the file
  /// system's root; GIT_DIR and friends are not looked at). Throws Error(failed) where there is
  /// none, Error(unsupported) for what libgit2 can't serve (SHA-256, reftable, unknown extensions)
  /// with one clear sentence, and Error(failed) for a bare repository. Partial clones, worktree
  /// config, shallow clones, alternates, linked worktrees are fine.
  static Repository open(const std::filesystem::path& inside);

  /// As open(), for a directory that the user did not name, where git would go by GIT_DIR and
  /// GIT_WORK_TREE: Error(unsupported) where these name another repository or worktree than what
  /// open() finds.
  static Repository open_here(const std::filesystem::path& inside);

  Repository(Repository&&) noexcept;
  Repository& operator=(Repository&&) noexcept;
  ~Repository();

  std::filesystem::path worktree() const;    ///< absolute, symlinks resolved, no trailing '/'
  std::filesystem::path git_dir() const;     ///< of this worktree (.git or .git/worktrees/x)
  std::filesystem::path common_dir() const;  ///< shared by all worktrees
  bool is_partial_clone() const;

  // Configuration, with conditional includes, worktree config and GIT_CONFIG_* as git reads it.
  std::optional<std::string> config(std::string_view key) const;
  bool config_bool(std::string_view key, bool otherwise) const;
  /// A path value with `~/` expanded.
  std::optional<std::string> config_path(std::string_view key) const;
  /// All settings, the later ones overriding the earlier.
  const Config& all_config() const;
  PathProtection path_protection() const;

  // Refs and commits. Branch names are short: "wafers/a1".
  std::optional<Oid> head_commit() const;  ///< nullopt on an unborn branch
  /// The full name of the ref that HEAD is on, at the end of symbolic refs; "HEAD" where it is
  /// detached.
  std::string head_ref() const;
  std::optional<Oid> branch_tip(std::string_view branch) const;
  /// The full name of the ref that a symbolic branch stands for (git symbolic-ref); nullopt for
  /// every other branch.
  std::optional<std::string> symbolic_target(std::string_view branch) const;
  /// What git-check-ref-format says of refs/heads/<branch>.
  static bool is_valid_branch_name(const std::string& branch);
  /// How git uses a branch that it therefore refuses to move.
  struct BranchUse {
    enum class How { checked_out, rebase, bisect };
    How how{};
    std::filesystem::path worktree;  ///< which need not be there any more
  };
  /// The first worktree that uses the branch, which need not exist: at its HEAD, also by way of a
  /// symbolic ref, or in an unfinished rebase or bisect.
  std::optional<BranchUse> use_of_branch(const std::string& branch) const;
  /// From now on the linked worktree with this administrative directory doesn't count: its branch
  /// is moved in its own name.
  void act_for_worktree(std::filesystem::path git_dir);
  /// What a branch is called now that `git branch -m` gave a new name, by that one's reflog.
  std::optional<std::string> renamed_branch(const std::string& branch) const;
  bool is_descendant_or_same(const Oid& commit, const Oid& ancestor) const;
  /// How many commits lead to `commit` and not to `base`.
  std::size_t commits_ahead(const Oid& commit, const Oid& base) const;
  Oid tree_of(const Oid& commit) const;
  std::string message_of(const Oid& commit) const;
  /// Shortest unambiguous abbreviation, core.abbrev heeded.
  std::string short_id(const Oid& oid) const;

  /// Creates refs/heads/<branch>; Error(failed) if it exists or collides ("a" and "a/b"),
  /// Error(refused) where a worktree uses that name. The reflog gets `reflog_message`.
  void create_branch(const std::string& branch, const Oid& commit,
                     const std::string& reflog_message);
  /// Moves the branch from exactly `expected` to `commit` under the ref's lock and writes the
  /// reflog. Throws Error(refused) where it no longer is at `expected`, is a symbolic ref, or is
  /// used by a worktree; nothing has changed then.
  void move_branch(const std::string& branch, const Oid& expected, const Oid& commit,
                   const Identity& who, const std::string& reflog_message);
  /// The same, by the name that git would write into a reflog.
  void move_branch(const std::string& branch, const Oid& expected, const Oid& commit,
                   const std::string& reflog_message);
  /// Deletes the branch if it is at `expected`, with its reflog and now empty ref directories.
  void delete_branch(const std::string& branch, const Oid& expected);
  /// The object of a ref by its full name; nullopt where there is none.
  std::optional<Oid> ref(const std::string& name) const;
  /// Creates a ref that is no branch, by its full name, and takes away the locks that killed ones
  /// of these left beside it. Throws Error(failed) as create_branch().
  void create_ref(const std::string& name, const Oid& commit, const std::string& reflog_message);
  /// Removes the locks that a wafers process has left which was killed while it did one of these.
  /// Whatever else may hold such a lock keeps it.
  void take_away_dead_locks(const std::string& branch) const noexcept;

  struct CommitRequest {
    Oid tree;
    std::vector<Oid> parents;
    Identity author;
    Identity committer;
    std::string message;
    std::string encoding;  ///< i18n.commitEncoding, empty for UTF-8
    /// Signed if this is set: with this key, or where it is empty, the configured one.
    std::optional<std::string> signing_key;
  };
  /// What write_commit() would make of a commit again: its tree, parents, author, message and
  /// encoding, by the same committer, not signed.
  CommitRequest request_of(const Oid& commit) const;

  /// Writes the commit object; no ref is touched. Throws Error(failed) where it can't be signed.
  Oid write_commit(const CommitRequest& request);

  /// Who commits, as git decides it: GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL,DATE},
  /// author.*/committer.*, user.*, EMAIL. Throws Error(failed) "Author identity unknown" with git's
  /// remedy as hint where name or email is missing: nothing is guessed from the host.
  using Role = IdentityRole;
  Identity identity(Role role) const;
  /// The name that git writes into a reflog: one that is guessed where none is configured.
  Identity reflog_identity() const;
  /// core.logAllRefUpdates: whether a reflog is begun where there is none.
  bool begins_reflogs() const;

  /// An object store of its own for one computation.
  std::unique_ptr<ObjectStore> objects(Writes writes) const;
  /// One that writes into `objects_dir`, an empty directory that is of no use after a crash,
  /// and reads what is in the repository as well, of which it writes nothing.
  std::unique_ptr<ObjectStore> objects_beside(const std::filesystem::path& objects_dir) const;

  /// What of this repository wafers can't serve, one sentence each; empty if it can. (Checked by
  /// `add` and `doctor`: split or sparse index, a worktree from which open() doesn't find it.)
  std::vector<std::string> unsupported() const;

 private:
  struct Impl;
  explicit Repository(std::unique_ptr<Impl> impl);
  void require_unused(const std::string& branch) const;
  std::unique_ptr<Impl> impl_;
  friend struct RepositoryAccess;  ///< src/git only: reaches libgit2's handle
};

/// As Repository::identity(), outside of any repository: environment, global and system
/// configuration.
Identity default_identity(Repository::Role role);

}  // namespace wafers::git
