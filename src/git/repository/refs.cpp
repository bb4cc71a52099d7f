#include <array>
#include <cctype>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/refs/head.h"
#include "git/repository/ident.h"
#include "git/repository/repository_impl.h"
#include "git/text/branch_name.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeads = "refs/heads/";

std::string full_name(std::string_view branch) { return std::string(kHeads) + std::string(branch); }

/// One line of a state file, nullopt where there is no such file.
std::optional<std::string> line_of(const fs::path& file) {
  const std::optional<std::string> content = read_file(file);
  if (!content) return std::nullopt;
  return std::string(trimmed(*content));
}

/// `git rebase --update-refs`: every third line names a ref that the rebase will move.
bool is_in_update_refs(const fs::path& file, const std::string& ref) {
  const std::vector<std::string> lines = split(read_file(file).value_or(std::string()), '\n');
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    if (lines[i] == ref) return true;
  }
  return false;
}

/// The ref that HEAD of a worktree is on, at the end of symbolic refs; empty where it is detached.
std::string ref_at_head(const fs::path& git_dir, const RefFiles& refs) {
  std::error_code error;
  const fs::path link = fs::read_symlink(git_dir / kHead, error);
  const auto head = error ? parse_ref(read_file(git_dir / kHead).value_or(std::string()))
                          : symbolic_ref(link.native());
  if (!head || !head->target.starts_with(kHeads)) return {};
  try {
    return refs.follow(head->target).name;
  } catch (const Error&) {
    return head->target;
  }
}

/// branch.c: prepare_checked_out_branches(): HEAD, an unfinished rebase, an unfinished bisect.
std::optional<Repository::BranchUse::How> use_in(const fs::path& git_dir, const std::string& branch,
                                                 const RefFiles& refs) {
  using How = Repository::BranchUse::How;
  const std::string ref = full_name(branch);
  if (ref_at_head(git_dir, refs) == ref) return How::checked_out;
  for (const char* file : {"rebase-merge/head-name", "rebase-apply/head-name"}) {
    if (line_of(git_dir / file) == ref) return How::rebase;
  }
  if (is_in_update_refs(git_dir / "rebase-merge/update-refs", ref)) return How::rebase;
  const std::optional<std::string> bisect = line_of(git_dir / "BISECT_START");
  if (bisect == branch || bisect == ref) return How::bisect;
  return std::nullopt;
}

/// The worktree whose gitdir is `entry` below common_dir/worktrees.
fs::path worktree_of_entry(const fs::path& entry) {
  const fs::path dot_git = line_of(entry / "gitdir").value_or(std::string());
  return (dot_git.is_relative() ? (entry / dot_git).lexically_normal() : dot_git).parent_path();
}

}  // namespace

std::optional<Oid> Repository::head_commit() const { return impl_->refs.resolve("HEAD"); }

std::string Repository::head_ref() const { return impl_->refs.follow("HEAD").name; }

std::optional<Oid> Repository::branch_tip(std::string_view branch) const {
  return impl_->refs.resolve(full_name(branch));
}

std::optional<std::string> Repository::symbolic_target(std::string_view branch) const {
  const std::string name = full_name(branch);
  FollowedRef found = impl_->refs.follow(name);
  return found.name == name ? std::nullopt : std::optional(std::move(found.name));
}

bool Repository::is_valid_branch_name(const std::string& branch) {
  return git::is_valid_branch_name(branch);
}

std::optional<Repository::BranchUse> Repository::use_of_branch(const std::string& branch) const {
  const Layout& layout = impl_->layout;
  const auto use = [&](const fs::path& git_dir) { return use_in(git_dir, branch, impl_->refs); };
  if (const auto how = use(layout.git_dir)) return BranchUse{*how, layout.worktree};
  const bool bare = layout.linked() && config_bool("core.bare", false);
  if (layout.linked() && !bare) {
    if (const auto how = use(layout.common_dir)) {
      return BranchUse{*how, layout.common_dir.filename() == ".git"
                                 ? layout.common_dir.parent_path()
                                 : layout.common_dir};
    }
  }
  std::error_code error;
  for (fs::directory_iterator it(layout.common_dir / "worktrees", error), end; !error && it != end;
       it.increment(error)) {
    if (it->path() == impl_->own_worktree) continue;
    if (const auto how = use(it->path())) return BranchUse{*how, worktree_of_entry(it->path())};
  }
  return std::nullopt;
}

void Repository::act_for_worktree(fs::path git_dir) { impl_->own_worktree = std::move(git_dir); }

std::optional<std::string> Repository::renamed_branch(const std::string& branch) const {
  const std::string wanted =
      "\tBranch: renamed " + full_name(branch) + " to " + std::string(kHeads);
  const fs::path logs = impl_->layout.common_dir / "logs/refs/heads";
  std::error_code error;
  for (fs::recursive_directory_iterator it(logs, error), end; !error && it != end;
       it.increment(error)) {
    const std::string log = read_file(it->path()).value_or(std::string());
    if (log.find(wanted) == std::string::npos) continue;
    std::string name = it->path().lexically_relative(logs).native();
    if (branch_tip(name)) return name;
  }
  return std::nullopt;
}

void Repository::require_unused(const std::string& branch) const {
  const auto use = use_of_branch(branch);
  if (!use) return;
  throw Error(ErrorKind::refused, "branch " + in_quotes(branch) + " is checked out in " +
                                      in_quotes(use->worktree.native()));
}

void Repository::create_branch(const std::string& branch, const Oid& commit,
                               const std::string& reflog_message) {
  if (!is_valid_branch_name(branch)) {
    throw Error(ErrorKind::failed, in_quotes(branch) + " is not a valid branch name");
  }
  require_unused(branch);
  impl_->refs.create(full_name(branch), commit, {reflog_identity(), reflog_message});
}

std::optional<Oid> Repository::ref(const std::string& name) const {
  return impl_->refs.resolve(name);
}

void Repository::create_ref(const std::string& name, const Oid& commit,
                            const std::string& reflog_message) {
  const std::string directory = name.substr(0, name.rfind('/') + 1);
  std::error_code error;
  for (fs::directory_iterator it(impl_->layout.common_dir / directory, error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".lock") continue;
    impl_->refs.take_away_dead_locks(directory + it->path().stem().native());
  }
  impl_->refs.create(name, commit, {reflog_identity(), reflog_message});
}

Identity Repository::reflog_identity() const {
  return git::reflog_identity(impl_->config, impl_->start_date());
}

void Repository::move_branch(const std::string& branch, const Oid& expected, const Oid& commit,
                             const Identity& who, const std::string& reflog_message) {
  require_unused(branch);
  impl_->refs.move(full_name(branch), expected, commit, {who, reflog_message});
}

void Repository::move_branch(const std::string& branch, const Oid& expected, const Oid& commit,
                             const std::string& reflog_message) {
  move_branch(branch, expected, commit, reflog_identity(), reflog_message);
}

void Repository::delete_branch(const std::string& branch, const Oid& expected) {
  impl_->refs.remove(full_name(branch), expected);
}

void Repository::take_away_dead_locks(const std::string& branch) const noexcept {
  try {
    impl_->refs.take_away_dead_locks(full_name(branch));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory: the next one
  }
}

}  // namespace wafers::git
