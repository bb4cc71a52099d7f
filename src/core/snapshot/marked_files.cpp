#include "core/snapshot/marked_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/tree_path.h"
#include "os/files.h"

namespace wafers {
namespace {

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// At most `wanted` bytes; less only at the file's end.
std::string read_piece(int fd, std::size_t wanted, const std::string& path) {
  std::string piece(wanted, '\0');
  const ssize_t got = read_full(fd, piece.data(), wanted);
  if (got < 0) throw_errno("cannot read", path);
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

bool same_bytes(int a, int b, const std::string& path) {
  constexpr std::size_t kPiece = std::size_t{64} << 10U;
  while (true) {
    const std::string piece = read_piece(a, kPiece, path);
    if (piece != read_piece(b, kPiece, path)) return false;
    if (piece.empty()) return true;
  }
}

bool same_content(const MarkedFiles::ViewedFile& file, const PlainDir& worktree,
                  const struct stat& there) {
  if ((file.stat.st_mode & S_IFMT) != (there.st_mode & S_IFMT)) return false;
  if (file.stat.st_size != there.st_size) return false;
  if (S_ISLNK(there.st_mode)) {
    return file.dir.read_link(file.name) == worktree.read_link(file.name);
  }
  struct stat ours {};
  struct stat theirs {};
  const UniqueFd viewed = file.dir.open_file(file.name, &ours);
  const auto base = worktree.find_file(file.name, &theirs);
  return base && same_bytes(viewed.get(), base->get(), file.dir.path_of(file.name));
}

}  // namespace

const std::vector<std::string>& MarkedFiles::paths() {
  if (paths_) return *paths_;
  paths_.emplace();
  if (input_.layers.back() != input_.repository->worktree()) return *paths_;
  for (const git::IndexRecord& record : index_.view().entries()) {
    if (record.skip_worktree() || record.assume_valid()) paths_->emplace_back(record.path());
  }
  return *paths_;
}

bool MarkedFiles::is_marked(std::string_view path) {
  if (paths().empty()) return false;
  if (std::binary_search(paths().begin(), paths().end(), path)) return true;
  for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    const std::string_view directory = path.substr(0, at + 1);
    if (std::binary_search(paths().begin(), paths().end(), directory)) return true;
  }
  return false;
}

bool MarkedFiles::any_below(std::string_view prefix) {
  const auto first = std::lower_bound(paths().begin(), paths().end(), prefix);
  return (first != paths().end() && first->starts_with(prefix)) || is_marked(prefix);
}

/// Of the base.
MergedDir MarkedFiles::directory_of(const std::string& path) const {
  MergedDir root = MergedDir::open_base(input_.layers, input_.dialect);
  const std::size_t end = path.rfind('/');
  return end == std::string::npos ? std::move(root) : root.descend(path.substr(0, end));
}

bool MarkedFiles::is_left_out(const std::string& path) {
  if (!is_marked(path)) return false;
  return !directory_of(path).has(name_of(path));
}

std::optional<git::TreeEntry> MarkedFiles::committed_version(const std::string& path,
                                                             const ViewedFile& file,
                                                             git::ObjectStore& objects,
                                                             const git::Oid& base_tree) {
  if (!is_marked(path)) return std::nullopt;
  const MergedDir dir = directory_of(path);
  const PlainDir* const holder = dir.holder_of(file.name);
  const auto there = holder != nullptr ? holder->stat(file.name) : std::nullopt;
  if (!there || !same_content(file, *holder, *there)) return std::nullopt;
  auto entry = git::entry_at(objects, base_tree, path);
  if (!entry || !git::is_blob(entry->mode)) return std::nullopt;
  const bool same_mode = (file.stat.st_mode & S_IXUSR) == (there->st_mode & S_IXUSR);
  if (!same_mode && git::is_regular(entry->mode)) entry->mode = file.mode;
  return entry;
}

}  // namespace wafers
