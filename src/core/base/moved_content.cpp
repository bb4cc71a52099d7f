#include "core/base/moved_content.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/live_base.h"
#include "git/diff/diff.h"
#include "git/lines/held_change.h"
#include "git/objects/line_difference.h"
#include "git/objects/tree_path.h"
#include "git/refs/head.h"
#include "git/text/text_stats.h"
#include "linux/merged_dir.h"
#include "os/files.h"

namespace wafers {
namespace {

/// Larger files are taken for binary ones.
constexpr std::size_t kLargest = std::size_t{8} << 20U;

struct Time {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  auto operator<=>(const Time&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// A file or symlink of the upper.
struct UpperFile {
  git::FileMode mode = git::FileMode::regular;
  std::optional<std::string> content;  ///< as git has it; absent where it is too large
  Time made;                           ///< when it came into the upper, as far as that is known
};

/// What one side of a comparison has at a path.
struct Version {
  git::FileMode mode = git::FileMode::absent;
  std::string content;
};

/// An editor that saves by renaming makes a new inode; one that writes in place keeps that of the
/// copy-up.
Time time_made(const PlainDir& dir, const std::string& name) {
  struct statx st {};
  if (::statx(dir.fd(), name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_CTIME, &st) != 0) {
    return {};
  }
  const auto& time = (st.stx_mask & STATX_BTIME) != 0 ? st.stx_btime : st.stx_ctime;
  return {time.tv_sec, time.tv_nsec};
}

std::optional<UpperFile> find_in_upper(const MergedDir& upper, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const MergedDir dir =
      slash == std::string::npos ? upper.descend(".") : upper.descend(path.substr(0, slash));
  const std::string name = path.substr(slash + 1);
  const PlainDir* const holder =
      slash == std::string::npos ? upper.holder_of(name) : dir.holder_of(name);
  const auto stat = holder != nullptr ? holder->stat(name) : std::nullopt;
  if (!stat) return std::nullopt;
  UpperFile file;
  file.made = time_made(*holder, name);
  if (S_ISLNK(stat->st_mode)) {
    file.mode = git::FileMode::symlink;
    file.content = holder->read_link(name);
    return file;
  }
  if (!S_ISREG(stat->st_mode)) return std::nullopt;
  if ((stat->st_mode & S_IXUSR) != 0) file.mode = git::FileMode::executable;
  if (auto content = read_small_file(*holder, name, kLargest)) {
    file.content = git::without_carriage_returns(*std::move(content));
  }
  return file;
}

Version version_of(git::ObjectStore& objects, git::FileMode mode, const git::Oid& oid) {
  if (!git::is_blob(mode)) return {mode, {}};
  if (objects.object_size(oid) > kLargest) return {mode, {}};
  return {mode, git::without_carriage_returns(objects.read_blob(oid))};
}

/// The parts of one move that the upper may hold.
class MoveCheck {
 public:
  MoveCheck(const git::Oid& tip_tree, git::ObjectStore& objects, const MergedDir& upper,
            const Time& own)
      : tip_tree_(tip_tree), objects_(objects), upper_(upper), own_(own) {}

  /// `changed`: when the move changed the path.
  bool has_taken(const git::TreeChange& change, const Time& changed) {
    const auto file = find_in_upper(upper_, change.path);
    if (!file || file->made < changed || file->made <= own_) return false;
    const Version before = version_of(objects_, change.old_mode, change.old_oid);
    const Version after = version_of(objects_, change.new_mode, change.new_oid);
    if (!git::is_blob(after.mode)) return false;  // there was nothing to be taken
    const auto entry = git::entry_at(objects_, tip_tree_, change.path);
    const Version tip = entry ? version_of(objects_, entry->mode, entry->oid) : Version();
    if (file->content == tip.content && file->mode == tip.mode) return false;
    return takes_mode(*file, before, after, tip) || takes_content(*file, before, after, tip);
  }

 private:
  static bool takes_mode(const UpperFile& file, const Version& before, const Version& after,
                         const Version& tip) {
    return git::is_regular(before.mode) && git::is_regular(after.mode) &&
           before.mode != after.mode && file.mode == after.mode && tip.mode != after.mode;
  }

  static bool takes_content(const UpperFile& file, const Version& before, const Version& after,
                            const Version& tip) {
    if (before.content == after.content && before.mode != git::FileMode::absent) return false;
    if (file.content && (*file.content == before.content || *file.content == tip.content)) {
      return false;
    }
    const bool link = git::FileMode::symlink == file.mode || git::FileMode::symlink == after.mode;
    if (link) return file.mode == after.mode && file.content == after.content;
    const bool text = file.content && !git::looks_binary(*file.content) &&
                      !git::looks_binary(before.content) && !git::looks_binary(after.content);
    if (!text) return true;
    if (!git::holds_change(before.content, after.content, *file.content)) return false;
    return !git::is_regular(tip.mode) ||
           !git::holds_change(before.content, after.content, tip.content);
  }

  const git::Oid& tip_tree_;
  git::ObjectStore& objects_;
  const MergedDir& upper_;
  Time own_;  ///< files that are no younger were not taken
};

/// When the checkout came to have a path as the commit has it: known of the one that is there now.
Time time_of_change(const Wafer& wafer, const git::HeadMove& move, bool is_present,
                    const std::string& path) {
  struct stat st {};
  if (is_present && ::lstat((wafer.checkout / path).c_str(), &st) == 0) {
    return {st.st_ctim.tv_sec, st.st_ctim.tv_nsec};
  }
  return {move.at, 0};
}

/// Of a wafer's directory: its time is that of call_own().
constexpr const char* kOwnSince = "own-since";

/// When what the upper held was called the wafer's own.
Time own_since(const Wafer& wafer) {
  struct stat st {};
  if (::lstat((wafer.directory / kOwnSince).c_str(), &st) != 0) return {};
  return {st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
}

bool is_selected(const std::string& path, const std::vector<std::string>& paths) {
  return paths.empty() || std::ranges::any_of(paths, [&](std::string selected) {
           if (selected.ends_with('/')) selected.pop_back();
           return is_within(path, selected);
         });
}

/// The moves of HEAD to other commits than the base commit since the view was mounted over it.
std::vector<git::HeadMove> moves_to(const Wafer& wafer, const std::string& head) {
  auto moves = git::head_moves_since(wafer.checkout, wafer.checkout_commit, head);
  std::erase_if(moves, [&](const git::HeadMove& move) { return move.commit == wafer.base_commit; });
  return moves;
}

/// Finds what was taken from the commits of moves.
class Finder {
 public:
  Finder(const Wafer& wafer, const git::Repository& repository, git::ObjectStore& objects,
         const ComparedTrees& trees)
      : wafer_(wafer),
        repository_(repository),
        objects_(objects),
        trees_(trees),
        upper_(UpperDir::open(wafer.upper(), wafer.dialect), std::nullopt),
        own_since_(own_since(wafer)) {}

  /// `since`: when the checkout came to have a path as the commit has it.
  /// `own`: files that are no younger were not taken.
  std::vector<std::string> taken(const std::string& move, const Time& own,
                                 const std::function<bool(const std::string&)>& is_asked,
                                 const std::function<Time(const std::string&)>& since) {
    std::vector<std::string> paths;
    const auto commit = git::Oid::from_hex(move);
    if (!commit || !objects_.holds(*commit)) return paths;  // pruned: there is nothing to compare
    MoveCheck check(trees_.tip, objects_, upper_, own);
    const git::Oid tree = repository_.tree_of(*commit);
    for (const git::TreeChange& change : git::changed_paths(objects_, trees_.base, tree)) {
      if (is_asked(change.path) && check.has_taken(change, since(change.path))) {
        paths.push_back(change.path);
      }
    }
    return paths;
  }

  /// What was taken since the view was mounted, by move.
  std::vector<BaseMove> taken_now(const std::function<bool(const std::string&)>& is_asked) {
    std::vector<BaseMove> moves;
    const auto head = moved_head(wafer_);
    if (!head) return moves;
    for (const git::HeadMove& move : moves_to(wafer_, *head)) {
      auto paths = taken(move.commit, own_since_, is_asked, [&](const std::string& path) {
        return time_of_change(wafer_, move, move.commit == *head, path);
      });
      if (!paths.empty()) moves.push_back({move.commit, std::move(paths)});
    }
    return moves;
  }

 private:
  const Wafer& wafer_;
  const git::Repository& repository_;
  git::ObjectStore& objects_;
  ComparedTrees trees_;
  MergedDir upper_;
  Time own_since_;
};

}  // namespace

void call_own(const Wafer& wafer) {
  open_or_throw(wafer.directory / kOwnSince, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
}

std::vector<std::string> taken_from_moved_base(const Wafer& wafer,
                                               const git::Repository& repository,
                                               git::ObjectStore& objects,
                                               const ComparedTrees& trees,
                                               const std::vector<std::string>& paths) {
  if (wafer.moves.empty() && !moved_head(wafer)) return {};
  Finder finder(wafer, repository, objects, trees);
  std::set<std::string> taken;
  const auto is_asked = [&](const std::string& path) { return is_selected(path, paths); };
  for (const BaseMove& move : finder.taken_now(is_asked)) {
    taken.insert(move.paths.begin(), move.paths.end());
  }
  for (const BaseMove& move : wafer.moves) {
    const auto is_known = [&](const std::string& path) {
      return is_asked(path) && (move.paths.empty() || std::ranges::binary_search(move.paths, path));
    };
    for (std::string& path :
         finder.taken(move.commit, Time(), is_known, [](auto&) { return Time(); })) {
      taken.insert(std::move(path));
    }
  }
  return {taken.begin(), taken.end()};
}

std::vector<std::string> moves_seen(const Wafer& wafer) {
  std::vector<std::string> commits;
  for (const BaseMove& move : wafer.moves) commits.push_back(move.commit);
  const auto head = moved_head(wafer);
  if (!head) return commits;
  for (git::HeadMove& move : moves_to(wafer, *head)) commits.push_back(std::move(move.commit));
  return commits;
}

void remember_taken(Wafer& wafer, const git::Repository& repository, const ComparedTrees& trees) {
  constexpr std::size_t kMostMoves = 32;
  constexpr std::size_t kMostPaths = 1000;
  const auto objects = repository.objects(git::Writes::to_memory);
  Finder finder(wafer, repository, *objects, trees);
  for (BaseMove& move : finder.taken_now([](const std::string&) { return true; })) {
    if (move.paths.size() > kMostPaths) move.paths.clear();
    wafer.moves.push_back(std::move(move));
  }
  if (wafer.moves.size() > kMostMoves) {
    wafer.moves.erase(wafer.moves.begin(), wafer.moves.end() - kMostMoves);
  }
}

void refuse_taken(const Wafer& wafer, const std::vector<std::string>& taken,
                  const std::string& doing) {
  constexpr std::size_t kShown = 5;
  if (taken.empty()) return;
  throw Error(
      ErrorKind::refused,
      doing + ": the base of " + in_quotes(wafer.name) +
          " has moved, and what these files hold was taken from there:" + indented(taken, kShown),
      "look at it with 'wafers git-diff " + wafer.name +
          " --uncommitted'; take it back by hand, or say --accept-moved to have it in the "
          "branch");
}

}  // namespace wafers
