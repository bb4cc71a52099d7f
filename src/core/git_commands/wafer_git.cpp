#include "core/git_commands/wafer_git.h"

#include <cstddef>
#include <exception>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/git_commands/filter_directory.h"
#include "core/inside/git_dir.h"
#include "core/inside/own_submodules.h"
#include "core/inside/registration.h"
#include "core/inside/submodules.h"
#include "core/inside/watcher_setup.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "git/diff/diff.h"
#include "linux/writers.h"

namespace wafers {
namespace {

git::Oid parse_commit(const std::string& hex, const std::string& name) {
  if (const auto oid = git::Oid::from_hex(hex)) return *oid;
  throw Error(ErrorKind::failed, "the record of wafer " + in_quotes(name) + " has no valid commit");
}

/// What it holds can be computed again, so a damaged one is as good as none.
std::optional<git::IndexFile> read_stat_cache(const std::filesystem::path& path) {
  try {
    return git::IndexFile::read(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Whether all objects of `tree` are there that `tip_tree` doesn't have. No ref reaches them, and
/// git prunes each by its own age: a tree may be left without its files.
bool is_complete(const git::Repository& repository, const git::Oid& tree,
                 const git::Oid& tip_tree) {
  const auto objects = repository.objects(git::Writes::to_memory);
  try {
    for (const auto& change : git::changed_paths(*objects, tip_tree, tree)) {
      if (git::is_blob(change.new_mode)) objects->object_size(change.new_oid);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// What the wafer has staged. Where that is gone the stat cache goes too: it names files that would
/// not be read again.
void read_staged(const std::string& staged_tree, WaferGit& git) {
  git.index_tree = git.tip_tree;
  const auto staged = git::Oid::from_hex(staged_tree);
  if (!staged) return;
  if (is_complete(git.repository, *staged, git.tip_tree)) {
    git.index_tree = *staged;
  } else {
    git.stat_cache.reset();
  }
}

/// What git inside has staged. That it has been written anywhere isn't said by an index.
void read_inside(const Wafer& wafer, WaferGit& git) {
  git.inside.emplace(wafer, git.repository);
  git.index_tree = git.inside->tree();
  if (is_complete(git.repository, git.index_tree, git.tip_tree)) return;
  throw Error(
      ErrorKind::failed,
      "what git inside wafer " + in_quotes(wafer.name) + " has staged is not in the repository",
      "take it back: wafers exec " + wafer.name + " -- git reset");
}

/// HEAD of git inside. A registration that is gone, such as after a crash of the host, is made
/// again.
InsideHead found_head(const Wafer& wafer, const git::Repository& repository) {
  auto head = inside_head(wafer);
  if (!head) {
    complete_registration(wafer);
    set_watcher_up(wafer, repository);
    head = inside_head(wafer);
    if (head && !GitDir::open(wafer.git_dir).has("index")) {
      const auto tip = repository.branch_tip(wafer.branch);
      const git::Oid commit = tip ? *tip : parse_commit(wafer.last_commit, wafer.name);
      make_index_of_base(wafer, repository, repository.tree_of(commit));
      make_submodules(wafer, repository, base_index_of(wafer, repository));
    }
  }
  if (head) return *std::move(head);
  throw Error(ErrorKind::failed,
              "cannot read HEAD of git inside wafer " + in_quotes(wafer.name) + ": " +
                  in_quotes((wafer.git_dir / "HEAD").native()),
              "remove that file, and it is made again");
}

/// Where that is; nullopt on a branch that has no commit.
std::optional<git::Oid> commit_at(const InsideHead& head, const git::Repository& repository) {
  return head.ref.empty() ? git::Oid::from_hex(head.commit) : repository.ref(head.ref);
}

std::string is_repository(const std::string& path) {
  return in_quotes(path) + " is a repository of its own";
}

}  // namespace

void require_checkout(const Wafer& wafer) {
  std::error_code error;
  if (std::filesystem::exists(wafer.checkout, error)) return;
  throw Error(ErrorKind::failed,
              "the checkout " + in_quotes(wafer.checkout.native()) + " of wafer " +
                  in_quotes(wafer.name) + " is gone",
              "move it back there, or mount the disk that it is on");
}

git::Repository open_repository(const Wafer& wafer) {
  require_checkout(wafer);
  return own_repository(wafer);
}

std::filesystem::path base_index_of(const Wafer& wafer, const git::Repository& repository) {
  return wafer.base_kind == BaseKind::frozen ? index_of_snapshot(wafer.layers.back())
                                             : repository.git_dir() / "index";
}

WaferGit open_wafer_git(const Wafer& wafer) {
  git::Repository repository = open_repository(wafer);
  const git::Oid last = parse_commit(wafer.last_commit, wafer.name);
  const git::Oid base = parse_commit(wafer.base_commit, wafer.name);
  const auto branch = repository.branch_tip(wafer.branch);
  const bool pending = branch && branch->hex() == wafer.pending_commit;
  WaferGit git{.repository = std::move(repository),
               .base_tree = {},
               .base_index = {},
               .tip = pending ? *branch : last,
               .tip_tree = {},
               .index_tree = {},
               .branch = branch,
               .stat_cache = {},
               .seen = {},
               .head = {},
               .inside = {}};
  if (wafer.has_git_inside()) {
    git.head = found_head(wafer, git.repository);
    git.tip = commit_at(*git.head, git.repository).value_or(last);
  }
  if (!is_unclean(wafer)) {
    git.stat_cache = read_stat_cache(wafer.index());
    git.seen = read_stat_cache(wafer.seen());
  }
  git.base_tree = git.repository.tree_of(base);
  git.base_index = base_index_of(wafer, git.repository);
  git.tip_tree = git.repository.tree_of(git.tip);
  if (wafer.has_git_inside()) {
    read_inside(wafer, git);
    return git;
  }
  read_staged(pending ? wafer.pending_staged_tree : wafer.staged_tree, git);
  return git;
}

void make_index_of_base(const Wafer& wafer, const git::Repository& repository,
                        const git::Oid& tree) {
  make_inside_index(wafer, repository, base_index_of(wafer, repository), tree);
}

std::optional<BranchTrouble> branch_trouble(const Wafer& wafer, const WaferGit& git,
                                            const git::Oid& tip) {
  if (git.head) {
    if (auto trouble = head_trouble(wafer, *git.head)) return trouble;
  }
  return branch_trouble(wafer, git.repository, git.branch, tip);
}

bool drop_doubtful_stat_data(const Wafer& wafer, WaferGit& git) {
  if (wafer.dialect == UpperDialect::fuse || !hides_stores(wafer.upper())) return false;
  git.stat_cache.reset();
  git.seen.reset();
  return true;
}

SnapshotInput snapshot_input(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects,
                             SnapshotPurpose purpose, std::vector<std::string> paths) {
  SnapshotInput input;
  input.repository = &git.repository;
  input.objects = &objects;
  input.upper = wafer.upper();
  input.dialect = wafer.dialect;
  input.layers = wafer.layers;
  input.base_tree = git.base_tree;
  input.base_index = git.base_index;
  input.compared_tree = git.index_tree;
  input.cache = git.stat_cache ? &*git.stat_cache : nullptr;
  input.seen = git.seen ? &*git.seen : nullptr;
  input.inside_index = git.inside ? &git.inside->view() : nullptr;
  input.purpose = purpose;
  input.paths = std::move(paths);
  input.mountpoint = wafer.mountpoint;
  input.covered = covered_checkout(wafer.place, wafer.directory.parent_path());
  input.filter_directory = [&wafer] { return filter_directory(wafer); };
  return input;
}

std::set<std::string> uncommitted_paths(const Wafer& wafer, const WaferGit& git,
                                        git::ObjectStore& objects) {
  std::set<std::string> paths;
  for (git::TreeChange& change : git::changed_paths(objects, git.tip_tree, git.index_tree)) {
    paths.insert(std::move(change.path));
  }
  flush_view(wafer);
  SnapshotInput input = snapshot_input(wafer, git, objects, SnapshotPurpose::status);
  input.untracked = UntrackedNames::all;
  Snapshot snapshot = take_snapshot(input);
  for (ViewChange& change : snapshot.changes) paths.insert(std::move(change.change.path));
  paths.insert(snapshot.untracked.begin(), snapshot.untracked.end());
  return paths;
}

void write_index(const Wafer& wafer, const git::IndexFile& index,
                 std::vector<std::string>& warnings) {
  try {
    index.write(wafer.index());
  } catch (const Error& error) {
    warnings.push_back(error.message());
  }
}

void remember_seen(const Wafer& wafer, const Snapshot& snapshot) noexcept {
  try {
    if (snapshot.seen_anew && !is_unclean(wafer)) snapshot.seen.write(wafer.seen());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
}

std::vector<std::string> clean_paths(const std::vector<std::string>& paths) {
  std::vector<std::string> cleaned;
  bool everything = false;
  for (const std::string& path : paths) {
    const auto reject = [&](const std::string& why) {
      throw Error(ErrorKind::usage, "path " + in_quotes(path) + " " + why,
                  "give files or directories relative to the wafer's root");
    };
    if (path.empty()) reject("is empty");
    if (path.front() == '/') reject("is absolute");
    std::string plain;
    for (const std::string& component : split(path, '/')) {
      if (component == "..") reject("leads out of the wafer");
      if (component.empty() || component == ".") continue;
      plain += (plain.empty() ? "" : "/") + component;
    }
    if (plain.empty()) everything = true;
    cleaned.push_back(plain + (path.ends_with('/') || path.ends_with("/.") ? "/" : ""));
  }
  return everything ? std::vector<std::string>{} : cleaned;
}

void require_committable(const Snapshot& snapshot) {
  if (snapshot.errors.empty()) return;
  const std::size_t more = snapshot.errors.size() - 1;
  throw Error(
      ErrorKind::failed,
      snapshot.errors.front() + (more == 0 ? "" : " (and " + std::to_string(more) + " more)"),
      "repair, remove or ignore it, or commit other paths by name");
}

void forget_borrowing(const Wafer& wafer, Snapshot& snapshot) {
  std::erase_if(snapshot.repositories,
                [&](const std::string& path) { return has_only_borrowed_objects(wafer, path); });
}

std::string beyond_commits(const Snapshot& snapshot) {
  if (!snapshot.errors.empty()) return snapshot.errors.front();
  if (!snapshot.unreadable.empty()) return snapshot.unreadable.front();
  if (!snapshot.repositories.empty()) return is_repository(snapshot.repositories.front());
  for (const ViewChange& change : snapshot.changes) {
    const auto& [path, old_mode, new_mode, old_oid, new_oid] = change.change;
    if (new_mode == git::FileMode::gitlink && old_mode != new_mode) return is_repository(path);
  }
  if (!snapshot.modified_submodules.empty()) {
    return "submodule " + in_quotes(snapshot.modified_submodules.front()) +
           " has modified or untracked content";
  }
  return {};
}

void require_matched(const std::vector<std::string>& unmatched) {
  if (unmatched.empty()) return;
  throw Error(ErrorKind::usage, "path " + in_quotes(unmatched.front()) + " did not match any files",
              "paths are counted from the root of the view");
}

}  // namespace wafers
