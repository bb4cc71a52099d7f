#include "core/inside/submodules.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/inside/git_dir.h"
#include "core/inside/submodule_parts.h"
#include "git/refs/head.h"
#include "git/repository/repository.h"
#include "git/text/quote.h"
#include "os/deep_stack.h"
#include "os/files.h"
#include "os/plain_dir.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// The repository that a `.git` file in the checkout leads to, if there is one.
std::optional<fs::path> repository_in(const fs::path& checkout, const std::string& path) {
  const auto target = git_file_in(checkout, path);
  std::error_code error;
  fs::path git_dir = target ? fs::canonical(checkout / path / *target, error) : fs::path();
  if (!target || error || !git::is_git_directory(git_dir)) return std::nullopt;
  return git_dir;
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

void copy_config(const fs::path& common_dir, const fs::path& own) {
  const fs::path config = own / kConfig;
  put_content(config, read_file(common_dir / kConfig).value_or(""));
  forget_worktree(config);
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  struct stat info {};
  const UniqueFd file = open_file(from, O_RDONLY);
  if (!file || ::fstat(file.get(), &info) != 0) return;
  const GitDir directory = GitDir::open(to.parent_path());
  directory.put(to.filename().native(), read_all(file.get(), from.native()), info.st_mtim);
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

}  // namespace wafers
