#include "core/inside/inside_index.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/index/cached_tree.h"
#include "git/index/index_view.h"
#include "git/program/git_program.h"
#include "os/files.h"
#include "os/scratch.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "index";
constexpr off_t kLargest = 1L << 30;  // what IndexView reads

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/// As git itself reads it: a symlink is followed by git, and is none of git's.
UniqueFd open_index(const GitDir& directory, struct stat& info) {
  UniqueFd file = open_at(directory.fd(), kIndex, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file && errno == ENOENT) return file;
  const std::string name = directory.path_of(kIndex);
  if (!file) throw_errno("cannot open", name);
  if (::fstat(file.get(), &info) != 0) throw_errno("cannot look at", name);
  if (!S_ISREG(info.st_mode) || info.st_size > kLargest) {
    throw Error(ErrorKind::failed, in_quotes(name) + " is no index of git's");
  }
  return file;
}

/// An entry that is as new as its index proves nothing: the copy mustn't look newer.
void write_copy(const fs::path& to, std::string_view content, const struct stat& original) {
  const UniqueFd copy = open_or_throw(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(copy.get(), content, to.native());
  const std::array<timespec, 2> times{original.st_atim, original.st_mtim};
  if (::futimens(copy.get(), times.data()) != 0) throw_errno("cannot set the time of", to.native());
}

std::optional<git::Oid> cached_root(const git::IndexView& view) {
  const auto root = git::CachedTree::parse(view.cached_tree());
  if (!root || root->entry_count != view.entries().size()) return std::nullopt;
  return root->oid;
}

void require_readable(const Wafer& wafer, const git::IndexView& view) {
  const auto refuse = [&](const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::refused, "the index of git inside wafer " + in_quotes(wafer.name) + what,
                hint);
  };
  const std::string inside = "wafers exec " + wafer.name + " -- git ";
  for (const git::IndexRecord& entry : view.entries()) {
    if (entry.stage() == 0) continue;
    refuse(" has conflicts, such as in " + in_quotes(entry.path()),
           "resolve them there, or take back what git has begun: " + inside + "status");
  }
  if (view.has_split_index()) {
    refuse(" is split", "make it one file: " + inside + "update-index --no-split-index");
  }
  if (view.has_sparse_dirs()) {
    refuse(" is a sparse one",
           "make it a whole one: " + inside + "sparse-checkout reapply --no-sparse-index");
  }
}

}  // namespace

std::string run_on_index(const git::Repository& repository, const fs::path& index,
                         std::vector<std::string> arguments, const fs::path& worktree,
                         std::string_view input) {
  const std::string name = arguments.front();
  arguments.insert(arguments.begin(), {"git", "-c", "core.fsmonitor=false"});
  const ProgramResult result =
      git::run_program(arguments, repository.worktree(), input,
                       {"GIT_DIR=" + repository.git_dir().native(),
                        "GIT_INDEX_FILE=" + index.native(), "GIT_WORK_TREE=" + worktree.native()});
  if (result.success()) return std::string(trimmed(result.output));
  throw Error(ErrorKind::failed, "git " + name + " failed: " + printable(trimmed(result.errors)));
}

git::Oid tree_of_index(const git::Repository& repository, const fs::path& index,
                       const fs::path& worktree) {
  const std::string tree = run_on_index(repository, index, {"write-tree"}, worktree);
  if (const auto oid = git::Oid::from_hex(tree)) return *oid;
  throw Error(ErrorKind::failed, "git write-tree printed no tree");
}

InsideIndex::InsideIndex(const Wafer& wafer, const git::Repository& repository)
    : wafer_(wafer), directory_(GitDir::open(wafer.git_dir)) {
  struct stat info {};
  const UniqueFd file = open_index(directory_, info);
  if (file) read_ = info;
  // Not mapped: who works in the view could cut it off while it is read.
  view_ = file ? git::IndexView::open(path_of_fd(file.get()), git::IndexChecksum::verified)
               : git::IndexView::empty();
  require_readable(wafer, *view_);
  const auto cached = cached_root(*view_);
  tree_ = cached ? *cached : written_tree(repository);
}

git::Oid InsideIndex::written_tree(const git::Repository& repository) const {
  const Scratch scratch(wafer_.directory.parent_path(), kIndexPrefix);
  const fs::path copy = scratch.path() / kIndex;
  copy_to(copy);
  return tree_of_index(repository, copy, scratch.path());
}

bool InsideIndex::is_current() const {
  struct stat now {};
  const bool there = ::fstatat(directory_.fd(), kIndex, &now, AT_SYMLINK_NOFOLLOW) == 0;
  return there ? read_ && is_same(now, *read_) : !read_;
}

void InsideIndex::copy_to(const fs::path& path) const {
  struct stat info {};
  const UniqueFd file = open_index(directory_, info);
  if (static_cast<bool>(file) != read_.has_value() || (file && !is_same(info, *read_))) {
    throw Error(ErrorKind::busy,
                "git inside wafer " + in_quotes(wafer_.name) + " is at work on its index",
                "do it again when that is done");
  }
  if (file) write_copy(path, read_all(file.get(), path.native()), info);
}

void make_inside_index(const Wafer& wafer, const git::Repository& repository,
                       const fs::path& base_index, const git::Oid& tree) {
  const Scratch scratch(wafer.directory.parent_path(), kIndexPrefix);
  const fs::path index = scratch.path() / kIndex;
  struct stat info {};
  const UniqueFd base = open_file(base_index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  bool fits = false;
  if (base && ::fstat(base.get(), &info) == 0 && S_ISREG(info.st_mode) &&
      info.st_size <= kLargest) {
    write_copy(index, read_all(base.get(), base_index.native()), info);
    const auto view = git::IndexView::open(index, git::IndexChecksum::trusted);
    fits = cached_root(*view) == tree;
    // What a watcher has said of the checkout means nothing here. What it says of a snapshot's
    // files, or has said of the view that this one is a copy of, holds: core/inside/watcher.h.
    if (wafer.base_kind == BaseKind::live && view->has_fsmonitor()) {
      run_on_index(repository, index, {"update-index", "--no-fsmonitor"}, wafer.mountpoint);
    }
    // So is the cache of untracked files: git begins a new one, which says where it is valid.
    if (view->has_untracked_cache()) {
      run_on_index(repository, index, {"update-index", "--force-untracked-cache"},
                   wafer.mountpoint);
    }
  }
  if (!fits) {
    run_on_index(repository, index, {"read-tree", "--reset", tree.hex()}, scratch.path());
  }
  GitDir::open(wafer.git_dir).put(kIndex, read_file(index).value_or(std::string()), info.st_mtim);
}

}  // namespace wafers
