#include "core/inside/submodules.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/inside/git_dir.h"
#include "core/inside/inside_index.h"
#include "git/index/index_view.h"
#include "git/program/git_program.h"
#include "git/refs/head.h"
#include "git/refs/repository_text.h"
#include "git/repository/repository.h"
#include "git/text/quote.h"
#include "os/deep_stack.h"
#include "os/directory.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/scratch.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModules = "modules";
constexpr const char* kGitFile = ".git";
constexpr const char* kConfig = "config";

/// Where submodules are looked for: the entries of `index`, whose paths are below `prefix`.
struct Level {
  std::string prefix;  ///< "" or "directory/"
  fs::path index;
  fs::path git_dir;  ///< of the repository whose submodules they are
  fs::path own;      ///< what takes its place for the view
};

struct Submodule {
  std::string path;  ///< from the root of the view
  fs::path git_dir;
  fs::path own;
};

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

/// The directory at `path` in `tree`, which no symlink leads to.
std::optional<PlainDir> directory_at(const fs::path& tree, const std::string& path) {
  std::optional<PlainDir> directory = PlainDir::open(tree, "the tree");
  for (const std::string& name : split(path, '/')) {
    directory = directory->find_directory(name);
    if (!directory) break;
  }
  return directory;
}

/// What the `.git` file of the directory says; nullopt where there is no such file.
std::optional<fs::path> git_file_in(const fs::path& tree, const std::string& path) {
  constexpr off_t kMost = 64L * 1024;
  const auto directory = directory_at(tree, path);
  struct stat info {};
  const auto file = directory ? directory->find_file(kGitFile, &info) : std::nullopt;
  if (!file || info.st_size > kMost) return std::nullopt;
  const std::string content = read_all(file->get(), kGitFile);
  const auto target = git::git_file_target(content);
  return target ? std::optional(fs::path(*target)) : std::nullopt;
}

/// Lets the `.git` file that is there lead to `git_dir`.
void lead_to(const Wafer& wafer, const std::string& path, const fs::path& git_dir) {
  const auto directory = directory_at(wafer.upper(), path);
  const UniqueFd file =
      directory ? open_at(directory->fd(), kGitFile, O_WRONLY | O_TRUNC | O_NOFOLLOW) : UniqueFd();
  if (!file) throw_errno("cannot write .git of", path);
  write_all(file.get(), "gitdir: " + wafer.reached_inside(git_dir).native() + "\n", path);
}

/// The repository that a `.git` file in the checkout leads to, if there is one.
std::optional<fs::path> repository_in(const fs::path& checkout, const std::string& path) {
  const auto target = git_file_in(checkout, path);
  std::error_code error;
  fs::path git_dir = target ? fs::canonical(checkout / path / *target, error) : fs::path();
  if (!target || error || !git::is_git_directory(git_dir)) return std::nullopt;
  return git_dir;
}

/// The same in an upper, where it is one below the wafer's administrative directory. The view has
/// its path inside: as wafers writes it, or as git does, from the submodule.
std::optional<fs::path> own_repository_in(const Wafer& wafer, const fs::path& upper,
                                          const std::string& path) {
  const auto target = git_file_in(upper, path);
  if (!target) return std::nullopt;
  const fs::path modules = wafer.reached_inside(wafer.git_dir / kModules);
  const fs::path there = (wafer.root() / path / *target).lexically_normal();
  if (there == modules || !is_within(there.native(), modules.native())) return std::nullopt;
  return wafer.git_dir / kModules / there.lexically_relative(modules);
}

/// Git calls them by their names in .gitmodules there.
fs::path own_git_dir(const Level& level, const std::string& path, const fs::path& git_dir) {
  const fs::path modules = level.git_dir / kModules;
  const bool is_absorbed = is_within(git_dir.native(), modules.native()) && git_dir != modules;
  return level.own / kModules /
         (is_absorbed ? git_dir.lexically_relative(modules) : fs::path(path));
}

using FindRepository = std::function<std::optional<fs::path>(const std::string& path)>;

std::vector<Submodule> submodules_of(Level top, git::IndexChecksum checksum,
                                     const FindRepository& find) {
  std::vector<Submodule> found;
  std::vector<Level> levels;
  levels.push_back(std::move(top));
  while (!levels.empty()) {
    const Level level = std::move(levels.back());
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

std::vector<Submodule> submodules_of_checkout(const Wafer& wafer, const git::Repository& repository,
                                              const fs::path& base_index) {
  if (wafer.base_kind == BaseKind::frozen) return {};
  const fs::path checkout = repository.worktree();
  return submodules_of({"", base_index, repository.git_dir(), wafer.git_dir},
                       git::IndexChecksum::trusted,
                       [&](const std::string& path) { return repository_in(checkout, path); });
}

/// `path`, which is below `top`, and what is missing above it.
void make_directories(const fs::path& top, const fs::path& path) {
  fs::path made = top;
  for (const fs::path& name : path.lexically_relative(top)) {
    made /= name;
    make_missing_directory(made, kSharedMode);
  }
}

/// Where the worktree is follows from its `.git` file.
void forget_worktree(const fs::path& config) {
  git::run_git(config.parent_path(),
               {"config", "--file", config.native(), "--unset-all", "core.worktree"});
}

void copy_config(const fs::path& common_dir, const fs::path& own) {
  const fs::path config = own / kConfig;
  put_content(config, read_file(common_dir / kConfig).value_or(""));
  forget_worktree(config);
}

/// The same in place, of a repository that is an agent's to write.
void forget_worktree(const Wafer& wafer, const fs::path& own) {
  const auto directory =
      directory_at(wafer.git_dir, own.lexically_relative(wafer.git_dir).native());
  if (!directory) return;
  const GitDir repository = GitDir::open(fs::path(path_of_fd(directory->fd())) / ".");
  const auto content = repository.small_file(kConfig);
  if (!content || content->find("worktree") == std::string::npos) return;
  const Scratch scratch(wafer.directory.parent_path(), kIndexPrefix);
  const fs::path config = scratch.path() / kConfig;
  put_content(config, *content);
  forget_worktree(config);
  repository.put(kConfig, read_file(config).value_or(*content));
}

/// Of a view whose upper was that of `source`, or a copy of it.
void lead_to_own(const Wafer& source, const Wafer& wafer) {
  const auto submodules = submodules_of(
      {"", wafer.git_dir / "index", source.git_dir, wafer.git_dir}, git::IndexChecksum::verified,
      [&](const std::string& path) { return own_repository_in(source, wafer.upper(), path); });
  for (const Submodule& submodule : submodules) {
    forget_worktree(wafer, submodule.own);
    lead_to(wafer, submodule.path, submodule.own);
  }
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  struct stat info {};
  const UniqueFd file = open_file(from, O_RDONLY);
  if (!file || ::fstat(file.get(), &info) != 0) return;
  const GitDir directory = GitDir::open(to.parent_path());
  directory.put(to.filename().native(), read_all(file.get(), from.native()), info.st_mtim);
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

void make_repository(const Wafer& wafer, const Submodule& submodule) {
  const fs::path common_dir = git::common_dir_of(submodule.git_dir);
  make_directories(wafer.git_dir, submodule.own / "objects/info");
  make_directories(wafer.git_dir, submodule.own / "objects/pack");
  // By a relative path, since a view in place covers the absolute one.
  const fs::path objects = submodule.own / "objects";
  put_content(
      objects / "info/alternates",
      git::quote_path((common_dir / "objects").lexically_relative(objects).native(), false) + "\n");
  copy_config(common_dir, submodule.own);
  copy_directory(common_dir / "refs", submodule.own / "refs");
  for (const char* file : {"packed-refs", "shallow"}) {
    copy_if_there(common_dir / file, submodule.own / file);
  }
  for (const char* file : {"index", "HEAD"}) {
    copy_if_there(submodule.git_dir / file, submodule.own / file);
  }
}

std::vector<Submodule> make_repositories(const Wafer& wafer, const git::Repository& repository,
                                         const fs::path& base_index) {
  auto submodules = submodules_of_checkout(wafer, repository, base_index);
  for (const Submodule& submodule : submodules) make_repository(wafer, submodule);
  return submodules;
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

void make_submodules(const Wafer& wafer, const git::Repository& repository,
                     const fs::path& base_index) {
  make_repositories(wafer, repository, base_index);
}

void add_submodules(const Wafer& wafer, const git::Repository& repository,
                    const fs::path& base_index) {
  const auto submodules = make_repositories(wafer, repository, base_index);
  if (submodules.empty()) return;
  on_deep_stack([&] {
    const PlainDir base = PlainDir::open(repository.worktree(), "the checkout");
    const PlainDir upper = PlainDir::open(wafer.upper(), "the upper");
    TreeCopy copy(upper);
    for (const Submodule& submodule : submodules) {
      copy.copy_path(base, submodule.path + "/" + kGitFile);
    }
    copy.finish(base);
  });
  for (const Submodule& submodule : submodules) lead_to(wafer, submodule.path, submodule.own);
}

void copy_submodules(const Wafer& source, const Wafer& wafer) {
  const fs::path modules = source.git_dir / kModules;
  std::error_code error;
  if (fs::symlink_status(modules, error).type() != fs::file_type::directory) return;
  copy_directory(modules, wafer.git_dir / kModules);
  // The copies of the `.git` files still lead to the repositories of `source`.
  lead_to_own(source, wafer);
}

void unbind_submodules(const Wafer& wafer) { lead_to_own(wafer, wafer); }

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
