#include "core/base/bases.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"
#include "os/scratch.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// Of the worktree: attributes and conversion can be set for each of them.
std::string id_of(const git::Repository& repository) {
  struct stat git_dir {};
  if (::stat(repository.git_dir().c_str(), &git_dir) != 0) {
    throw_errno("cannot look at", repository.git_dir().native());
  }
  return std::to_string(git_dir.st_dev) + "-" + std::to_string(git_dir.st_ino);
}

/// What was made in `scratch` gets its name, once it is on the disk. Another process may have been
/// first, with the same.
void put_in_place(const fs::path& made, const fs::path& layer) {
  sync_file_system(made);
  const bool placed =
      ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, layer.c_str(), RENAME_NOREPLACE) == 0;
  if (!placed && errno != EEXIST) throw_errno("cannot make", layer.native());
  sync_directory(layer.parent_path());
}

}  // namespace

UniqueFd lock_bases(const Store& store, int operation) {
  const fs::path directory = store.root() / kBasesDirectory;
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) throw_errno("cannot open directory", directory.native());
  while (::flock(fd.get(), operation) != 0) {
    if (errno != EINTR) throw_errno("cannot lock", directory.native());
  }
  return fd;
}

Bases::Bases(const Store& store) : store_(store), directory_(store.root() / kBasesDirectory) {
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno("cannot make directory", directory_.native());
  }
  lock_ = lock_bases(store, LOCK_SH);
}

fs::path Bases::delta(const git::Repository& repository, const LayersBelow& below,
                      const git::Oid& from, const git::Oid& to) const {
  const TreePair trees{repository.tree_of(from), repository.tree_of(to)};
  const fs::path layer =
      directory_ / ("delta-" + id_of(repository) + "-" + trees.from.hex() + "-" + trees.to.hex() +
                    "-" + std::string(to_string(below.dialect)));
  if (fs::exists(fs::symlink_status(layer))) return layer;
  const Scratch scratch(store_.root(), kMakingPrefix);
  const fs::path made = scratch.path() / "layer";
  make_directory(made, 0777);
  write_difference(repository, made, below, trees);
  put_in_place(made, layer);
  return layer;
}

}  // namespace wafers
