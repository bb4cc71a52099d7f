#include "git/refs/head.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// git's refs.c: SYMREF_MAXDEPTH.
constexpr int kSymrefDepth = 5;

/// Absent also where it can't be read.
std::optional<std::string> content_of(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// A file that holds one line, such as a ref.
std::optional<std::string> line_of(const fs::path& path) {
  const auto content = content_of(path);
  if (!content) return std::nullopt;
  return std::string(trimmed(*content));
}

/// Such a line that is a path, which may end in a blank.
std::optional<std::string> path_of(const fs::path& file) {
  auto content = content_of(file);
  if (content) content->resize(content->find_last_not_of("\r\n") + 1);
  return content;
}

bool is_object_name(std::string_view text) {
  constexpr std::size_t kHexLength = 40;
  return text.size() == kHexLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<fs::path> git_dir_of(const fs::path& worktree) {
  constexpr std::string_view kPrefix = "gitdir: ";
  const fs::path dot_git = worktree / ".git";
  std::error_code error;
  if (fs::is_directory(dot_git, error)) return dot_git;
  const auto line = path_of(dot_git);
  if (!line || !line->starts_with(kPrefix)) return std::nullopt;
  return (worktree / line->substr(kPrefix.size())).lexically_normal();
}

fs::path common_dir_of(const fs::path& git_dir) {
  const auto line = path_of(git_dir / "commondir");
  std::error_code error;
  const fs::path common = line ? git_dir / *line : git_dir;
  const fs::path resolved = fs::canonical(common, error);
  return error ? common : resolved;
}

std::optional<std::string> packed_ref(std::string_view packed_refs, const std::string& ref) {
  const std::string wanted = " " + ref + "\n";
  constexpr std::size_t kHexLength = 40;
  const std::size_t at = packed_refs.find(wanted);
  if (at == std::string_view::npos || at < kHexLength) return std::nullopt;
  return std::string(packed_refs.substr(at - kHexLength, kHexLength));
}

std::string read_packed_refs(const fs::path& common_dir) {
  return content_of(common_dir / "packed-refs").value_or(std::string());
}

/// The object at the end of the symbolic refs that begin with `value`. `packed_refs` is asked for
/// the content of that file where it is needed.
template <typename PackedRefs>
std::optional<std::string> resolve(std::optional<std::string> value, const fs::path& common_dir,
                                   const PackedRefs& packed_refs) {
  constexpr std::string_view kSymbolic = "ref: ";
  for (int depth = 0; depth < kSymrefDepth && value && value->starts_with(kSymbolic); ++depth) {
    const std::string ref(trimmed(value->substr(kSymbolic.size())));
    // A hostile or damaged HEAD must not lead out of the repository.
    if (!ref.starts_with("refs/") || ref.find("..") != std::string::npos) return std::nullopt;
    value = line_of(common_dir / ref);
    if (!value) value = packed_ref(packed_refs(), ref);
  }
  if (!value || !is_object_name(*value)) return std::nullopt;
  return value;
}

}  // namespace

BaseFiles read_base_files(const fs::path& worktree) {
  BaseFiles files;
  std::error_code error;
  files.exists = fs::is_directory(worktree, error);
  const auto git_dir = git_dir_of(worktree);
  if (!git_dir) return files;
  files.common_dir = common_dir_of(*git_dir);
  files.head = resolve(line_of(*git_dir / "HEAD"), *files.common_dir,
                       [&] { return read_packed_refs(*files.common_dir); });
  return files;
}

const BaseFiles& BaseFilesCache::of(const fs::path& worktree) {
  const auto found = known_.find(worktree);
  if (found != known_.end()) return found->second;
  return known_.emplace(worktree, read_base_files(worktree)).first->second;
}

const std::string& BaseFilesCache::packed_refs(const fs::path& common_dir) {
  const auto found = packed_.find(common_dir);
  if (found != packed_.end()) return found->second;
  return packed_.emplace(common_dir, read_packed_refs(common_dir)).first->second;
}

std::optional<std::string> BaseFilesCache::branch_of(const fs::path& worktree,
                                                     const std::string& branch) {
  const BaseFiles& files = of(worktree);
  if (!files.common_dir) return std::nullopt;
  return resolve("ref: refs/heads/" + branch, *files.common_dir,
                 [&]() -> const std::string& { return packed_refs(*files.common_dir); });
}

}  // namespace wafers::git
