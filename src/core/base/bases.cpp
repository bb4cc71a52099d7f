#include "core/base/bases.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/freeze.h"
#include "git/diff/diff.h"
#include "git/index/index_view.h"
#include "os/deep_stack.h"
#include "os/files.h"
#include "os/scratch.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// Of the worktree: attributes and conversion can be set for each of them.
std::string id_of(const git::Repository& repository) { return identity_of(repository.git_dir()); }

/// What was made in `scratch` gets its name, once it is on the disk. Another process may have been
/// first, with the same.
void put_in_place(const fs::path& made, const fs::path& layer) {
  sync_file_system(made);
  const bool placed =
      ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, layer.c_str(), RENAME_NOREPLACE) == 0;
  if (!placed && errno != EEXIST) throw_errno("cannot make", layer.native());
  sync_directory(layer.parent_path());
}

void note_use(const fs::path& snapshot) {
  // Where that fails it is taken away earlier, and made again.
  std::ignore = ::utimensat(AT_FDCWD, snapshot.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

/// Whether a delta from the commit `from`, which `index` is of, is much less to write than a
/// snapshot, by the number of files.
bool is_near(const git::Repository& repository, const git::Oid& from, const git::Oid& to,
             const fs::path& index) {
  constexpr std::size_t kPart = 4;
  const auto known = git::IndexView::open(index, git::IndexChecksum::trusted);
  const auto objects = repository.objects(git::Writes::to_memory);
  if (!objects->holds(from)) return false;  // pruned: nothing can be compared with it
  const std::size_t changed =
      git::changed_paths(*objects, repository.tree_of(from), repository.tree_of(to)).size();
  return known && changed * kPart <= known->entries().size();
}

}  // namespace

UniqueFd lock_bases(const Store& store, int operation) {
  const fs::path directory = store.root() / kBasesDirectory;
  UniqueFd fd = open_or_throw(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
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
                      const git::Oid& from, const git::Oid& to) {
  return delta(repository, below, {repository.tree_of(from), repository.tree_of(to)}, "live");
}

fs::path Bases::delta(const git::Repository& repository, const LayersBelow& below,
                      const TreePair& trees, const std::string& kind) {
  fs::path layer =
      directory_ / ("delta-" + kind + "-" + id_of(repository) + "-" + trees.from.hex() + "-" +
                    trees.to.hex() + "-" + std::string(to_string(below.dialect)));
  if (fs::exists(fs::symlink_status(layer))) return layer;
  const Scratch scratch(store_.root(), kMakingPrefix);
  const fs::path made = scratch.path() / "layer";
  make_directory(made, 0777);
  on_deep_stack([&] { write_difference(repository, made, below, trees); });
  put_in_place(made, layer);
  has_made_ = true;
  return layer;
}

/// "frozen-<repository>-<commit>-<generation>", with the files in `tree` and git's index of them.
struct Bases::Snapshot {
  fs::path directory;
  git::Oid commit;
  unsigned generation = 0;

  fs::path tree() const { return directory / "tree"; }
  fs::path index() const { return index_of_snapshot(tree()); }
};

/// The newest last.
std::vector<Bases::Snapshot> Bases::snapshots_of(const git::Repository& repository) const {
  constexpr std::size_t kHexLength = 40;
  const std::string prefix = std::string(kFrozenPrefix) + id_of(repository) + "-";
  std::vector<Snapshot> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename().native();
    if (!name.starts_with(prefix) || name.size() < prefix.size() + kHexLength + 2) continue;
    const auto commit = git::Oid::from_hex(name.substr(prefix.size(), kHexLength));
    if (!commit) continue;
    const char* const number = name.c_str() + prefix.size() + kHexLength + 1;
    found.push_back(
        {entry.path(), *commit, static_cast<unsigned>(std::strtoul(number, nullptr, 10))});
  }
  std::ranges::sort(found, {}, &Snapshot::generation);
  return found;
}

Bases::Snapshot Bases::take_snapshot(const git::Repository& repository, const git::Oid& commit,
                                     unsigned generation) {
  Snapshot snapshot{directory_ / (std::string(kFrozenPrefix) + id_of(repository) + "-" +
                                  commit.hex() + "-" + std::to_string(generation)),
                    commit, generation};
  store_.tell("freezing " + repository.short_id(commit) +
              ": its files are written once, for all wafers that start from it");
  const Scratch scratch(store_.root(), kMakingPrefix);
  const Snapshot made{scratch.path() / "snapshot", commit, generation};
  make_directory(made.directory, 0700);
  make_directory(made.tree(), 0777);
  write_tracked_files(repository, commit, made.tree(), made.index());
  copy_ignored_files(repository, made.tree(), made.index(),
                     [&](std::string_view line) { store_.tell(line); });
  mark_files_as_seen(repository, made.tree(), made.index());
  copy_owner_and_mode(repository.worktree(), made.tree());
  put_in_place(made.directory, snapshot.directory);
  has_made_ = true;
  return snapshot;
}

LayersBelow Bases::frozen(const git::Repository& repository, const git::Oid& commit,
                          UpperDialect dialect, bool refresh) {
  const Lock freezing = store_.lock_freezing();
  const std::vector<Snapshot> known = snapshots_of(repository);
  const unsigned next = known.empty() ? 0 : known.back().generation + 1;
  const auto same = std::find_if(known.rbegin(), known.rend(), [&](const Snapshot& snapshot) {
    return snapshot.commit == commit;
  });
  if (!refresh && same != known.rend()) {
    note_use(same->directory);
    return {{same->tree()}, dialect};
  }
  if (!refresh && !known.empty()) {
    const Snapshot& near = known.back();
    if (is_near(repository, near.commit, commit, near.index())) {
      const TreePair trees{repository.tree_of(near.commit), repository.tree_of(commit)};
      note_use(near.directory);
      LayersBelow layers{{near.tree()}, dialect};
      const fs::path above =
          delta(repository, layers, trees, "frozen" + std::to_string(near.generation));
      layers.layers.insert(layers.layers.begin(), above);
      return layers;
    }
  }
  return {{take_snapshot(repository, commit, next).tree()}, dialect};
}

}  // namespace wafers
