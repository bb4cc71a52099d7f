#include "core/inside/watcher_answer.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/index/index_view.h"
#include "git/objects/sha1.h"
#include "linux/upper.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::system_clock;

/// Changes within that time can look like one.
constexpr std::chrono::seconds kSameMoment{2};
/// A name in a directory that is to be read again. Whether it is there doesn't matter.
constexpr std::string_view kAnyName = ".wafers";

/// Paths, each with a NUL behind it.
class Paths {
 public:
  void add(std::string_view path) {
    text_ += path;
    text_ += '\0';
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// What a layer holds: all that is in it by its path, and for each directory a name in it.
class LayerWalk {
 public:
  LayerWalk(const fs::path& layer, UpperDialect dialect);

  const Paths& paths() const noexcept { return paths_; }
  /// Of all names and what fstatat(2) says of them: it is another one after each change.
  git::Oid fingerprint() { return fingerprint_.finish(); }
  /// The latest change of what is there.
  Clock::time_point newest() const noexcept { return newest_; }

 private:
  /// A directory, and what is left to be read of the directories in it: as few are open at a time
  /// as lie in each other.
  struct Frame {
    UpperDir directory;
    std::vector<std::string> below;

    std::string path_of(std::string_view name) const {
      const std::string& path = directory.path();
      return path.empty() ? std::string(name) : path + "/" + std::string(name);
    }
  };

  Frame read_directory(UpperDir directory);
  void go_below(Frame& frame);
  void note(std::string_view path, const struct stat& info);

  std::vector<Frame> frames_;
  Paths paths_;
  git::Sha1 fingerprint_;
  Clock::time_point newest_{};
};

LayerWalk::LayerWalk(const fs::path& layer, UpperDialect dialect) {
  frames_.push_back(read_directory(UpperDir::open(layer, dialect)));
  while (!frames_.empty()) {
    if (frames_.back().below.empty()) {
      frames_.pop_back();
    } else {
      go_below(frames_.back());
    }
  }
}

void LayerWalk::go_below(Frame& frame) {
  const std::string name = std::move(frame.below.back());
  frame.below.pop_back();
  try {
    frames_.push_back(read_directory(frame.directory.open_directory(name)));
  } catch (const ChangedMeanwhile&) {
    paths_.add(frame.path_of(name));
    newest_ = Clock::now();
  }
}

/// What is called .git is no file of git's, and git takes no word of it.
LayerWalk::Frame LayerWalk::read_directory(UpperDir directory) {
  Frame frame{.directory = std::move(directory), .below = {}};
  struct stat info {};
  if (::fstat(frame.directory.fd(), &info) != 0) throw_errno("cannot look at", "the upper");
  const UpperListing listing = frame.directory.list();
  // The root of an upper hides nothing, unless for fuse-overlayfs: then "/" stands for everything.
  if (listing.opaque) paths_.add(frame.directory.path() + "/");
  paths_.add(frame.path_of(kAnyName));
  note(frame.directory.path(), info);
  for (const UpperEntry& entry : listing.entries) {
    if (entry.name == ".git") continue;
    if (entry.type == UpperEntryType::directory) {
      frame.below.push_back(entry.name);
      continue;
    }
    const std::string path = frame.path_of(entry.name);
    paths_.add(path);
    note(path, entry.stat);
  }
  return frame;
}

void LayerWalk::note(std::string_view path, const struct stat& info) {
  const std::array<std::int64_t, 4> facts{static_cast<std::int64_t>(info.st_ino),
                                          static_cast<std::int64_t>(info.st_mode),
                                          info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
  fingerprint_.update(path);
  fingerprint_.update(std::string_view("\0", 1));
  fingerprint_.update({reinterpret_cast<const char*>(facts.data()), sizeof facts});
  newest_ = std::max(newest_, Clock::time_point(std::chrono::seconds(info.st_ctim.tv_sec) +
                                                std::chrono::nanoseconds(info.st_ctim.tv_nsec)));
}

/// What git is to give back. Where it gives back the same one, nothing has changed. That can't be
/// said of what has changed a moment ago, since the next change can have the same time, nor of what
/// fuse-overlayfs writes, which the kernel can hold back.
std::string token_of(LayerWalk& walk, Clock::time_point begun, const Wafer& wafer) {
  if (wafer.dialect == UpperDialect::fuse || walk.newest() + kSameMoment > begun) {
    return "wafers:" + std::to_string(begun.time_since_epoch().count());
  }
  return "wafers:" + wafer.base_commit + ":" + walk.fingerprint().hex();
}

std::optional<git::IndexView> readable_index(const fs::path& path) {
  auto index = git::IndexView::open(path, git::IndexChecksum::trusted);
  if (index && (index->has_split_index() || index->has_sparse_dirs())) index.reset();
  return index;
}

bool is_same_file(const git::IndexRecord& a, const git::IndexRecord& b) {
  return a.stage() == 0 && !b.skip_worktree() && a.mode() == b.mode() &&
         a.mode() != git::FileMode::gitlink && a.oid() == b.oid();
}

/// Both are in the order of their paths.
void add_own_entries(const git::IndexView& index, const git::IndexView& base, Paths& paths) {
  auto other = base.entries().begin();
  const auto end = base.entries().end();
  for (const git::IndexRecord& entry : index.entries()) {
    while (other != end && other->path() < entry.path()) ++other;
    const bool is_base_file =
        other != end && other->path() == entry.path() && is_same_file(entry, *other);
    if (!is_base_file) paths.add(entry.path());
  }
}

}  // namespace

std::string watcher_answer(const Wafer& wafer, std::string_view token) {
  if (wafer.base_kind != BaseKind::frozen || !wafer.has_git_inside()) {
    throw Error(ErrorKind::failed, "wafer " + in_quotes(wafer.name) + " can't be watched");
  }
  const Clock::time_point begun = Clock::now();
  LayerWalk upper(wafer.upper(), wafer.dialect);
  std::string answer = token_of(upper, begun, wafer);
  const bool is_same = answer == token;
  answer += '\0';
  if (is_same) return answer;
  const auto base = readable_index(index_of_snapshot(wafer.layers.back()));
  const auto index = readable_index(wafer.git_dir / "index");
  if (!base || !index) throw Error(ErrorKind::failed, "cannot read git's index");
  Paths own;
  add_own_entries(*index, *base, own);
  answer += own.text() + upper.paths().text();
  for (std::size_t i = 0; i + 1 < wafer.layers.size(); ++i) {
    answer += LayerWalk(wafer.layers[i], wafer.dialect).paths().text();
  }
  return answer;
}

}  // namespace wafers
