#include "git/refs/head.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "git/refs/repository_text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// Absent also where it can't be read.
std::optional<std::string> content_of(const fs::path& path) {
  try {
    return read_file(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<fs::path> git_dir_of(const fs::path& worktree) {
  const fs::path dot_git = worktree / ".git";
  std::error_code error;
  if (fs::is_directory(dot_git, error)) return dot_git;
  const auto content = content_of(dot_git);
  const auto target = content ? git_file_target(*content) : std::nullopt;
  if (!target) return std::nullopt;
  return (worktree / *target).lexically_normal();
}

std::string read_packed_refs(const fs::path& common_dir) {
  return content_of(common_dir / "packed-refs").value_or(std::string());
}

/// The object at the end of symbolic refs, hexadecimal. `packed_refs` is asked for the content of
/// that file where it is needed.
template <typename PackedRefs>
std::optional<std::string> resolve(const std::string& name, const fs::path& git_dir,
                                   const fs::path& common_dir, const PackedRefs& packed_refs) {
  const auto read = [&](const std::string& ref) -> std::optional<RefValue> {
    if (const auto content = content_of((ref == kHead ? git_dir : common_dir) / ref)) {
      return parse_ref(*content);
    }
    const auto packed = find_packed_ref(packed_refs(), ref);
    if (!packed) return std::nullopt;
    return RefValue{{}, *packed};
  };
  const auto found = follow_ref(name, read);
  if (!found || !found->oid) return std::nullopt;
  return found->oid->hex();
}

/// A line of a reflog: "<old> <new> <name> <<mail>> <seconds> <zone>\t<message>".
std::optional<HeadMove> move_of(std::string_view line) {
  constexpr std::size_t kHexLength = 40;
  const std::string_view who = line.substr(0, line.find('\t'));
  const std::size_t mail_end = who.rfind("> ");
  if (line.size() < 2 * kHexLength + 1 || mail_end == std::string_view::npos) return std::nullopt;
  const auto commit = Oid::from_hex(line.substr(kHexLength + 1, kHexLength));
  if (!commit) return std::nullopt;
  HeadMove move{commit->hex(), 0};
  const std::string_view date = who.substr(mail_end + 2);
  std::from_chars(date.data(), date.data() + date.size(), move.at);
  return move;
}

}  // namespace

fs::path common_dir_of(const fs::path& git_dir) {
  const auto content = content_of(git_dir / "commondir");
  return content ? git_dir / path_in(*content) : git_dir;
}

bool is_git_directory(const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) return false;
  const fs::path link = fs::read_symlink(directory / kHead, error);
  const auto head = error ? content_of(directory / kHead) : std::nullopt;
  if (error ? !head || !is_head(*head) : !symbolic_ref(link.native())) return false;
  const fs::path common = common_dir_of(directory);
  return fs::is_directory(common / "objects", error) && fs::is_directory(common / "refs", error);
}

BaseFiles read_base_files(const fs::path& worktree) {
  BaseFiles files;
  std::error_code error;
  files.exists = fs::is_directory(worktree, error);
  const auto git_dir = git_dir_of(worktree);
  if (!git_dir) return files;
  const fs::path common = common_dir_of(*git_dir);
  const fs::path resolved = fs::canonical(common, error);
  files.common_dir = error ? common : resolved;
  files.head = resolve(kHead, *git_dir, *files.common_dir,
                       [&] { return read_packed_refs(*files.common_dir); });
  return files;
}

std::vector<HeadMove> head_moves_since(const fs::path& worktree, const std::string& commit,
                                       const std::string& head) {
  std::vector<HeadMove> moves;
  if (head == commit) return moves;
  const auto git_dir = git_dir_of(worktree);
  const auto reflog = git_dir ? content_of(*git_dir / "logs/HEAD") : std::nullopt;
  const std::vector<std::string> lines = split(reflog.value_or(std::string()), '\n');
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const auto move = move_of(*line);
    if (!move) continue;
    if (move->commit == commit) break;
    moves.push_back(*move);
  }
  std::reverse(moves.begin(), moves.end());
  if (moves.empty() || moves.back().commit != head) moves.push_back({head, 0});
  return moves;
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
  return resolve("refs/heads/" + branch, *files.common_dir, *files.common_dir,
                 [&]() -> const std::string& { return packed_refs(*files.common_dir); });
}

}  // namespace wafers::git
