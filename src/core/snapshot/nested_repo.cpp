#include "core/snapshot/nested_repo.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "git/refs/repository_text.h"
#include "git/text/config_text.h"
#include "os/files.h"

namespace wafers {
namespace {

constexpr std::size_t kLargestSmallFile = std::size_t{1} << 20U;  // setup.c: read_gitfile_gently
constexpr std::size_t kLargestPackedRefs = std::size_t{64} << 20U;
constexpr std::size_t kLargestIndex = std::size_t{256} << 20U;

/// Whether the kernel takes a path of that length. One that it doesn't leads nowhere, and isn't
/// taken apart: these files are the agent's.
bool fits(std::string_view path) { return path.size() < PATH_MAX; }

/// A file of the repository as git takes it, for which a text ends at the first NUL.
std::optional<std::string> text_of(const MergedDir& dir, const std::string& name) {
  auto text = dir.file(name, kLargestSmallFile);
  if (text) text->resize(std::min(text->find('\0'), text->size()));
  return text;
}

std::optional<git::Oid> resolve_head(const MergedDir& git_dir, const MergedDir& common) {
  const auto read = [&](const std::string& ref) -> std::optional<git::RefValue> {
    const std::size_t slash = ref.rfind('/');
    const auto content =
        slash == std::string::npos
            ? git_dir.file(ref, kLargestSmallFile)
            : common.descend(ref.substr(0, slash)).file(ref.substr(slash + 1), kLargestSmallFile);
    if (content) return git::parse_ref(*content);
    const auto packed = common.file("packed-refs", kLargestPackedRefs);
    const auto oid = packed ? git::find_packed_ref(*packed, ref) : std::nullopt;
    if (!oid) return std::nullopt;
    return git::RefValue{{}, *oid};
  };
  const auto found = git::follow_ref("HEAD", read);
  return found ? found->oid : std::nullopt;
}

/// The index in `content`. It is parsed from a copy in memory: the file's owner could replace it by
/// a fifo before it is opened by name.
git::IndexFile parse_index(const std::string& content, const struct stat& st) {
  const UniqueFd copy = make_memory_file(content);
  auto index = git::IndexFile::read(path_of_fd(copy.get()));
  if (!index) throw Error(ErrorKind::failed, "cannot read an index in memory");
  index->mtime_seconds = st.st_mtim.tv_sec;
  index->mtime_nanoseconds = st.st_mtim.tv_nsec;
  return *std::move(index);
}

/// `path` as a normal absolute path without a slash at its end.
std::filesystem::path normal(const std::filesystem::path& path) {
  const std::filesystem::path plain = path.lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

/// The normal `path` relative to `top`, "" for `top` itself; absent where it isn't in there.
std::optional<std::string> below(const std::filesystem::path& path,
                                 const std::filesystem::path& top) {
  if (top.empty()) return std::nullopt;
  const std::string relative = path.lexically_relative(top).native();
  const bool outside = relative.empty() || relative == ".." || relative.starts_with("../");
  if (outside) return std::nullopt;
  return relative == "." ? std::string() : relative;
}

/// Takes what says which files are ignored. Where a configuration is an agent's, what it names or
/// includes isn't looked at.
void read_config(const std::string& config, NestedRepoFinder::Contents& contents) {
  for (const git::Setting& setting : git::parse_config_text(config)) {
    if (setting.key == "core.excludesfile" || setting.key.starts_with("include.") ||
        setting.key.starts_with("includeif.")) {
      contents.has_own_excludes = true;
    } else if (setting.key == "core.ignorecase") {
      const bool ignored = git::parse_bool(setting.value).value_or(false);
      contents.letters = ignored ? git::LetterCase::ignored : git::LetterCase::sensitive;
    }
  }
}

}  // namespace

NestedRepoFinder::NestedRepoFinder(Places places) : places_(std::move(places)) {}

std::optional<MergedDir> NestedRepoFinder::open(const std::filesystem::path& named) const {
  const bool is_here = below(named, places_.worktree).has_value();
  const std::filesystem::path path = is_here ? named : places_.covered.outside(named);
  auto inside = below(path, places_.worktree);
  if (!inside) inside = below(path, places_.mountpoint);
  if (!inside) return MergedDir(PlainDir::open(path, "the file system"));
  MergedDir root(UpperDir::open(places_.upper, places_.dialect),
                 MergedDir::open_base(places_.layers, places_.dialect));
  const auto in_git_dir = below("/" + *inside, "/.git");
  if (in_git_dir && !root.directory(".git").exists()) {
    return MergedDir(PlainDir::open(places_.git_dir / *in_git_dir, "the base"));
  }
  return inside->empty() ? std::move(root) : root.descend(*inside);
}

std::optional<NestedRepoFinder::GitDir> NestedRepoFinder::git_dir_of(
    const MergedDir& dir, const std::string& path) const {
  const std::filesystem::path here = places_.worktree / path;
  if (MergedDir own = dir.directory(".git"); own.exists())
    return GitDir{std::move(own), here / ".git"};
  std::string target;
  if (const auto content = text_of(dir, ".git")) {
    target = git::git_file_target(*content).value_or(std::string_view());
  } else if (const auto link = dir.link(".git")) {
    target = *link;
  }
  if (target.empty() || !fits(target)) return std::nullopt;
  const std::filesystem::path place = normal(here / target);
  auto found = open(place);
  if (!found || !found->exists()) return std::nullopt;
  return GitDir{std::move(*found), place};
}

MergedDir NestedRepoFinder::common_dir_of(const GitDir& git_dir) const {
  const auto content = text_of(git_dir.dir, "commondir");
  if (content && !fits(*content)) return {};
  const std::filesystem::path path =
      content ? normal(git_dir.path / git::path_in(*content)) : git_dir.path;
  auto found = open(path);
  return found ? std::move(*found) : MergedDir();
}

std::optional<NestedRepoFinder::Repo> NestedRepoFinder::find(const MergedDir& dir,
                                                             const std::string& path) const {
  try {
    const auto git_dir = git_dir_of(dir, path);
    const auto head = git_dir ? git_dir->dir.file("HEAD", kLargestSmallFile) : std::nullopt;
    if (!head || !git::is_head(*head)) return std::nullopt;
    const MergedDir common = common_dir_of(*git_dir);
    if (!common.directory("objects").exists() || !common.directory("refs").exists()) {
      return std::nullopt;
    }
    return Repo{resolve_head(git_dir->dir, common)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<NestedRepoFinder::Contents> NestedRepoFinder::contents(
    const MergedDir& dir, const std::string& path) const {
  try {
    const auto git_dir = git_dir_of(dir, path);
    if (!git_dir) return std::nullopt;
    struct stat st {};
    const auto index = git_dir->dir.file("index", kLargestIndex, &st);
    if (!index) return std::nullopt;
    const MergedDir common = common_dir_of(*git_dir);
    Contents contents;
    contents.index = parse_index(*index, st);
    contents.info_exclude =
        common.directory("info").file("exclude", kLargestSmallFile).value_or("");
    read_config(common.file("config", kLargestSmallFile).value_or(""), contents);
    return contents;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace wafers
