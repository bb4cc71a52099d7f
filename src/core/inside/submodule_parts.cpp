#include "core/inside/submodule_parts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/inside/git_dir.h"
#include "git/index/index_view.h"
#include "git/program/git_program.h"
#include "git/refs/repository_text.h"
#include "os/deep_stack.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// Of one that is an agent's to write a copy is read, and nothing is followed or waited for.
std::vector<std::string> gitlinks_of(const fs::path& index, git::IndexChecksum checksum) {
  std::vector<std::string> paths;
  const UniqueFd file = open_file(index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return paths;
  const auto view = git::IndexView::open(path_of_fd(file.get()), checksum);
  if (!view) return paths;
  for (const git::IndexRecord& entry : view->entries()) {
    if (entry.mode() == git::FileMode::gitlink) paths.emplace_back(entry.path());
  }
  return paths;
}

/// Git calls them by their names in .gitmodules there.
fs::path own_git_dir(const SubmoduleLevel& level, const std::string& path,
                     const fs::path& git_dir) {
  const fs::path modules = level.git_dir / kModules;
  const bool is_absorbed = is_within(git_dir.native(), modules.native()) && git_dir != modules;
  return level.own / kModules /
         (is_absorbed ? git_dir.lexically_relative(modules) : fs::path(path));
}

}  // namespace

std::optional<PlainDir> directory_at(const fs::path& tree, const std::string& path) {
  std::optional<PlainDir> directory = PlainDir::open(tree, "the tree");
  for (const std::string& name : split(path, '/')) {
    directory = directory->find_directory(name);
    if (!directory) break;
  }
  return directory;
}

std::optional<std::string> small_file_in(const PlainDir& directory, const std::string& name) {
  constexpr off_t kMost = 1024L * 1024;
  struct stat info {};
  const auto file = directory.find_file(name, &info);
  if (!file || info.st_size > kMost) return std::nullopt;
  return read_all(file->get(), name);
}

std::optional<fs::path> git_file_in(const fs::path& tree, const std::string& path) {
  const auto directory = directory_at(tree, path);
  const auto content = directory ? small_file_in(*directory, kGitFile) : std::nullopt;
  const auto target = content ? git::git_file_target(*content) : std::nullopt;
  return target ? std::optional(fs::path(*target)) : std::nullopt;
}

void lead_to(const Wafer& wafer, const std::string& path, const fs::path& git_dir) {
  const auto directory = directory_at(wafer.upper(), path);
  const UniqueFd file =
      directory ? open_at(directory->fd(), kGitFile, O_WRONLY | O_TRUNC | O_NOFOLLOW) : UniqueFd();
  if (!file) throw_errno("cannot write .git of", path);
  write_all(file.get(), "gitdir: " + wafer.reached_inside(git_dir).native() + "\n", path);
}

std::vector<Submodule> submodules_of(SubmoduleLevel top, git::IndexChecksum checksum,
                                     const FindRepository& find) {
  std::vector<Submodule> found;
  std::vector<SubmoduleLevel> levels;
  levels.push_back(std::move(top));
  while (!levels.empty()) {
    const SubmoduleLevel level = std::move(levels.back());
    levels.pop_back();
    for (const std::string& path : gitlinks_of(level.index, checksum)) {
      const std::string from_root = level.prefix + path;
      const auto git_dir = find(from_root);
      if (!git_dir) continue;
      const fs::path own = own_git_dir(level, path, *git_dir);
      levels.push_back({from_root + "/", *git_dir / "index", *git_dir, own});
      found.push_back({from_root, *git_dir, own});
    }
  }
  return found;
}

void forget_worktree(const fs::path& config) {
  git::run_git(config.parent_path(),
               {"config", "--file", config.native(), "--unset-all", "core.worktree"});
}

void copy_directory(const fs::path& from, const fs::path& to) {
  make_missing_directory(to, kSharedMode);
  on_deep_stack([&] {
    const PlainDir source = PlainDir::open(from, "the repository");
    const PlainDir top = PlainDir::open(to, "the repository");
    TreeCopy copy(top);
    copy.copy_all(source);
    copy.finish(source);
  });
}

}  // namespace wafers
