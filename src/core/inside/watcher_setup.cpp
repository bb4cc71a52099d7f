#include "core/inside/watcher_setup.h"

#include "core/inside/git_dir.h"
#include "core/inside/watcher.h"
#include "git/program/git_program.h"
#include "linux/helper_program.h"

namespace wafers {

void set_watcher_up(const Wafer& wafer, const git::Repository& repository) {
  if (wafer.base_kind != BaseKind::frozen) return;
  if (!repository.config_bool("extensions.worktreeConfig", false)) return;
  const GitDir directory = GitDir::open(wafer.git_dir);
  if (directory.has(kWorktreeConfig)) return;
  const auto program = find_helper(kWatcher);
  if (!program || !heeds_watcher(git::run_git("/", {"version"}).output)) return;
  directory.put(kWorktreeConfig, watcher_config(*program, wafer.directory));
}

}  // namespace wafers
