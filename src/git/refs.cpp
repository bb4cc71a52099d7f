#include <array>
#include <cctype>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/branch_name.h"
#include "git/file.h"
#include "git/ident.h"
#include "git/repository_impl.h"

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

/// branch.c: prepare_checked_out_branches(): HEAD, an unfinished rebase, an unfinished bisect.
bool holds_branch(const fs::path& git_dir, const std::string& branch) {
  const std::string ref = full_name(branch);
  std::error_code error;
  if (fs::read_symlink(git_dir / "HEAD", error) == ref) return true;
  const std::string head = line_of(git_dir / "HEAD").value_or(std::string());
  if (head.starts_with("ref:") && trimmed(std::string_view(head).substr(4)) == ref) return true;
  for (const char* file : {"rebase-merge/head-name", "rebase-apply/head-name"}) {
    if (line_of(git_dir / file) == ref) return true;
  }
  if (is_in_update_refs(git_dir / "rebase-merge/update-refs", ref)) return true;
  const std::optional<std::string> bisect = line_of(git_dir / "BISECT_START");
  return bisect == branch || bisect == ref;
}

/// The worktree whose gitdir is `entry` below common_dir/worktrees.
fs::path worktree_of_entry(const fs::path& entry) {
  const fs::path dot_git = line_of(entry / "gitdir").value_or(std::string());
  return (dot_git.is_relative() ? (entry / dot_git).lexically_normal() : dot_git).parent_path();
}

}  // namespace

std::optional<Oid> Repository::head_commit() const { return impl_->refs.resolve("HEAD"); }

std::optional<Oid> Repository::branch_tip(std::string_view branch) const {
  return impl_->refs.resolve(full_name(branch));
}

std::optional<std::string> Repository::symbolic_target(std::string_view branch) const {
  const auto value = impl_->refs.read(full_name(branch));
  if (!value || value->target.empty()) return std::nullopt;
  return impl_->refs.followed(value->target);
}

bool Repository::is_valid_branch_name(const std::string& branch) {
  return git::is_valid_branch_name(branch);
}

std::optional<fs::path> Repository::worktree_of_branch(const std::string& branch) const {
  const Layout& layout = impl_->layout;
  if (holds_branch(layout.git_dir, branch)) return layout.worktree;
  const bool bare = layout.linked() && config_bool("core.bare", false);
  if (layout.linked() && !bare && holds_branch(layout.common_dir, branch)) {
    return layout.common_dir.filename() == ".git" ? layout.common_dir.parent_path()
                                                  : layout.common_dir;
  }
  std::error_code error;
  for (fs::directory_iterator it(layout.common_dir / "worktrees", error), end; !error && it != end;
       it.increment(error)) {
    if (holds_branch(it->path(), branch)) return worktree_of_entry(it->path());
  }
  return std::nullopt;
}

void Repository::create_branch(const std::string& branch, const Oid& commit,
                               const std::string& reflog_message) {
  if (!is_valid_branch_name(branch)) {
    throw Error(ErrorKind::failed, wafers::quoted(branch) + " is not a valid branch name");
  }
  const Identity who = reflog_identity(impl_->config, impl_->start_date());
  impl_->refs.create(full_name(branch), commit, {who, reflog_message});
}

void Repository::move_branch(const std::string& branch, const Oid& expected, const Oid& commit,
                             const Identity& who, const std::string& reflog_message) {
  impl_->refs.move(full_name(branch), expected, commit, {who, reflog_message});
}

void Repository::delete_branch(const std::string& branch, const Oid& expected) {
  impl_->refs.remove(full_name(branch), expected);
}

}  // namespace wafers::git
