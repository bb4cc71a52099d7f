#include "core/view/base_mounts.h"

#include <algorithm>

#include "base/text.h"
#include "core/state/backend_traits.h"
#include "git/program/git_program.h"
#include "linux/mount_table.h"
#include "os/spawn.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

bool is_tracked(const fs::path& worktree, const std::string& path) {
  Command command =
      git::git_command_in(worktree, {"--literal-pathspecs", "ls-files", "-z", "--", path});
  command.descriptors.clear();
  const CommandResult result = run_command(std::move(command));
  if (result.status.success()) return !result.output.empty();
  throw Error(ErrorKind::failed, "cannot tell what git tracks in " +
                                     in_quotes((worktree / path).native()) + ": " +
                                     printable(trimmed(result.output)));
}

Error obstacle(const fs::path& worktree, const BaseMount& mount, const std::string& why) {
  return Error(ErrorKind::unsupported, describe(mount) + ", " + why,
               "unmount it (umount " + shell_quoted((worktree / mount.path).native()) +
                   "), or use the backend fuse");
}

}  // namespace

std::vector<BaseMount> find_base_mounts(const fs::path& worktree) {
  std::vector<BaseMount> mounts;
  for (const MountEntry& entry : own_mounts_below(worktree)) {
    std::string path = entry.target.lexically_relative(worktree).native();
    const bool tracked = is_tracked(worktree, path);
    mounts.push_back({std::move(path), entry.type, tracked});
  }
  return mounts;
}

std::string describe(const BaseMount& mount) {
  return in_quotes(mount.path) + " of the base is a mount of its own (" + printable(mount.type) +
         ")";
}

Obstacles obstacles_of(const fs::path& worktree, const std::vector<BaseMount>& mounts) {
  using BaseMounts = BackendTraits::BaseMounts;
  Obstacles obstacles;
  if (mounts.empty()) return obstacles;
  const auto tracked = std::ranges::find_if(mounts, &BaseMount::tracked);
  for (const BackendTraits& traits : all_backends()) {
    if (traits.base_mounts == BaseMounts::refused) {
      obstacles.emplace(traits.kind,
                        obstacle(worktree, mounts.front(),
                                 "and the kernel shows nobody but root what it covers"));
    } else if (traits.base_mounts == BaseMounts::left_out && tracked != mounts.end()) {
      obstacles.emplace(traits.kind,
                        obstacle(worktree, *tracked, "whose tracked files the view would lack"));
    }
  }
  return obstacles;
}

void refuse_base_mounts(const Wafer& wafer) {
  if (traits_of(wafer.backend).base_mounts == BackendTraits::BaseMounts::shown) return;
  const fs::path& lowest = wafer.place.empty() ? wafer.layers.back() : wafer.place;
  const Obstacles obstacles = obstacles_of(lowest, find_base_mounts(lowest));
  const auto found = obstacles.find(wafer.backend);
  if (found == obstacles.end()) return;
  throw Error(ErrorKind::unsupported,
              "cannot mount wafer " + in_quotes(wafer.name) + ": " + found->second.message(),
              found->second.hint());
}

}  // namespace wafers
