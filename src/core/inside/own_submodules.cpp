#include "core/inside/own_submodules.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "core/inside/git_dir.h"
#include "core/inside/inside_index.h"
#include "core/inside/submodule_parts.h"
#include "git/refs/head.h"
#include "os/directory.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/scratch.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// The repository that a `.git` file in an upper leads to, where it is one below the wafer's
/// administrative directory. The view has its path inside: as wafers writes it, or as git does,
/// from the submodule.
std::optional<fs::path> own_repository_in(const Wafer& wafer, const fs::path& upper,
                                          const std::string& path) {
  const auto target = git_file_in(upper, path);
  if (!target) return std::nullopt;
  const fs::path modules = wafer.reached_inside(wafer.git_dir / kModules);
  const fs::path there = (wafer.root() / path / *target).lexically_normal();
  if (there == modules || !is_within(there.native(), modules.native())) return std::nullopt;
  return wafer.git_dir / kModules / there.lexically_relative(modules);
}

bool is_repository(const PlainDir& directory) {
  struct stat info {};
  return directory.find_file(git::kHead, &info) && directory.find_directory("objects");
}

/// Lets the repository be wherever its worktree is: that follows from the `.git` file.
void unbind(const Wafer& wafer, const PlainDir& directory) {
  const auto content = small_file_in(directory, kConfig);
  if (!content || content->find("worktree") == std::string::npos) return;
  const Scratch scratch(wafer.directory.parent_path(), kIndexPrefix);
  const fs::path config = scratch.path() / kConfig;
  put_content(config, *content);
  forget_worktree(config);
  GitDir::open(fs::path(path_of_fd(directory.fd())) / ".")
      .put(kConfig, read_file(config).value_or(*content));
}

/// What can't be read may hold anything; what isn't there holds nothing.
bool holds_other_than(const fs::path& directory, const std::set<std::string_view>& names) {
  bool found = false;
  const int error = for_each_entry(directory, [&](const DirectoryEntry& entry) {
    found = !names.contains(entry.name);
    return !found;
  });
  return found || (error != 0 && error != ENOENT);
}

}  // namespace

void copy_submodules(const Wafer& source, const Wafer& wafer) {
  const fs::path modules = source.git_dir / kModules;
  std::error_code error;
  if (fs::symlink_status(modules, error).type() != fs::file_type::directory) return;
  copy_directory(modules, wafer.git_dir / kModules);
  unbind_submodules(wafer);
  // The copies of the `.git` files still lead to the repositories of `source`.
  const auto submodules = submodules_of(
      {"", wafer.git_dir / "index", source.git_dir, wafer.git_dir}, git::IndexChecksum::verified,
      [&](const std::string& path) { return own_repository_in(source, wafer.upper(), path); });
  for (const Submodule& submodule : submodules) lead_to(wafer, submodule.path, submodule.own);
}

void unbind_submodules(const Wafer& wafer) {
  if (!GitDir::find(wafer.git_dir)) return;
  std::vector<std::string> pending{kModules};
  while (!pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    const auto directory =
        path.size() < PATH_MAX ? directory_at(wafer.git_dir, path) : std::nullopt;
    if (!directory) continue;
    const std::string below = path + "/";
    if (is_repository(*directory)) {
      unbind(wafer, *directory);
      pending.push_back(below + kModules);
      continue;
    }
    // A name may have slashes.
    for (const std::string& name : directory->names()) pending.push_back(below + name);
  }
}

bool has_only_borrowed_objects(const Wafer& wafer, const std::string& path) {
  const fs::path upper = wafer.upper() / path;
  const auto git_dir = own_repository_in(wafer, wafer.upper(), path);
  const fs::path objects = git_dir.value_or(upper / kGitFile) / "objects";
  std::error_code error;
  const bool has_directory =
      fs::symlink_status(upper / kGitFile, error).type() == fs::file_type::directory;
  if (!git_dir && !has_directory) return false;
  return !holds_other_than(objects, {"info", "pack"}) && !holds_other_than(objects / "pack", {});
}

}  // namespace wafers
