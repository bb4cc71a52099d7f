#include "core/inside/registration.h"

#include <unistd.h>

#include <system_error>

#include "core/inside/git_dir.h"
#include "core/inside/watcher.h"
#include "git/refs/head.h"
#include "linux/helper_program.h"
#include "os/files.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// What git would change in a worktree's name, since it becomes a component of refs.
std::string id_for(const std::string& name) {
  const bool fits =
      !name.ends_with(".lock") && !name.ends_with('.') && name.find("..") == std::string::npos;
  return fits ? name : "wafer";
}

std::string git_file_line(const Wafer& wafer) {
  return (wafer.mountpoint / ".git").native() + "\n";
}

void write_if_missing(const GitDir& directory, const std::string& name, std::string_view content) {
  const auto present = directory.small_file(name);
  if (present && !present->empty()) return;
  directory.put(name, content);
}

std::string config_for(const fs::path& directory) {
  const auto program = find_helper(kWatcher);
  return program ? watcher_config(*program, directory) : std::string();
}

bool is_of(const Wafer& wafer, const fs::path& common_dir) {
  std::error_code error;
  const fs::path worktrees = fs::canonical(common_dir / "worktrees", error);
  return !error && wafer.git_dir.parent_path() == worktrees;
}

/// Whether it leads to the wafer's view, by any of its paths (git worktree repair), or nowhere yet:
/// a record's word alone removes no worktree.
bool is_registered_for(const Wafer& wafer) {
  const auto directory = GitDir::find(wafer.git_dir);
  if (!directory) return false;
  const auto git_file = directory->small_file("gitdir");
  return !git_file || *git_file == git_file_line(wafer) ||
         *git_file == (wafer.root() / ".git").native() + "\n";
}

}  // namespace

fs::path free_git_dir(const fs::path& common_dir, const std::string& name) {
  const fs::path worktrees = common_dir / "worktrees";
  fs::path free = worktrees / id_for(name);
  std::error_code error;
  for (int i = 1; fs::symlink_status(free, error).type() != fs::file_type::not_found; ++i) {
    free = worktrees / (id_for(name) + std::to_string(i));
  }
  return free;
}

void complete_registration(const Wafer& wafer) {
  make_missing_directory(wafer.git_dir.parent_path(), kSharedMode);
  make_missing_directory(wafer.git_dir, kSharedMode);
  const GitDir directory = GitDir::open(wafer.git_dir);
  write_if_missing(directory, "locked", "wafer " + wafer.name + "\n");
  write_if_missing(directory, "gitdir", git_file_line(wafer));
  write_if_missing(directory, "commondir", "../..\n");
  write_if_missing(directory, git::kHead, "ref: refs/heads/" + wafer.branch + "\n");
}

void move_registration(const Wafer& wafer, const fs::path& old_directory) {
  const auto directory = GitDir::find(wafer.git_dir);
  if (!directory) return;
  if (directory->small_file(kWorktreeConfig) == config_for(old_directory)) {
    directory->put(kWorktreeConfig, config_for(wafer.directory));
  }
  directory->put("gitdir", git_file_line(wafer));
  directory->put("locked", "wafer " + wafer.name + "\n");
}

void remove_registration(const Wafer& wafer) {
  if (!wafer.has_git_inside()) return;
  const git::BaseFiles files = git::read_base_files(wafer.checkout);
  if (!files.common_dir || !is_of(wafer, *files.common_dir)) return;
  if (is_registered_for(wafer)) remove_tree(wafer.git_dir);
  ::rmdir(wafer.git_dir.parent_path().c_str());  // as git does where it was the last one
}

}  // namespace wafers
