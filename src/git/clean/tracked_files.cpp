#include "git/clean/tracked_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/fd.h"
#include "os/files.h"

namespace wafers::git {
namespace {

/// The caller's are left out.
class Owners {
 public:
  void add(const OwnedFiles& more) {
    if (is_own(more.uid, more.gid)) return;
    const auto known = std::ranges::find_if(all_, [&](const OwnedFiles& owned) {
      return owned.uid == more.uid && owned.gid == more.gid;
    });
    if (known == all_.end()) return all_.push_back(more);
    known->files += more.files;
    known->directories += more.directories;
    known->first = std::min(known->first, more.first);
  }
  bool is_own(uid_t uid, gid_t gid) const noexcept { return uid == uid_ && gid == gid_; }

  std::vector<OwnedFiles> take() {
    std::ranges::sort(all_, {}, &OwnedFiles::first);
    return std::move(all_);
  }

 private:
  uid_t uid_ = ::geteuid();
  gid_t gid_ = ::getegid();
  std::vector<OwnedFiles> all_;  ///< a few
};

std::optional<struct stat> look_at(int worktree, std::string_view path) {
  struct stat st {};
  const std::string name(path);
  if (::fstatat(worktree, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return st;
}

/// Whether the index vouches for the file's stat data, rather than for nothing or for a wish.
bool is_known(const IndexRecord& record) {
  const IndexStat stat = record.stat();
  const bool has_stat = stat.mtime_seconds != 0 || stat.ctime_seconds != 0;
  return has_stat && !record.assume_valid() && !record.skip_worktree();
}

/// Calls `visit` with each directory that holds entries, once: a directory's entries follow each
/// other.
void for_each_directory(const IndexView& index, const auto& visit) {
  std::string_view last;  // the directory of the entry before, with '/'
  for (const IndexRecord& record : index.entries()) {
    const std::string_view path = record.path();
    if (record.mode() == FileMode::gitlink) visit(path);
    if (path.starts_with(last) && path.find('/', last.size()) == std::string_view::npos) continue;
    const auto common = std::ranges::mismatch(last, path).in2 - path.begin();
    for (auto slash = path.find('/', static_cast<std::size_t>(common));
         slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      visit(path.substr(0, slash));
    }
    last = path.substr(0, path.rfind('/') + 1);
  }
}

}  // namespace

std::vector<OwnedFiles> directories_of_others(const IndexView& index,
                                              const std::filesystem::path& worktree) {
  const UniqueFd root = open_anchor(worktree);
  Owners owners;
  for_each_directory(index, [&](std::string_view path) {
    const auto st = look_at(root.get(), path);
    if (!st || !S_ISDIR(st->st_mode) || owners.is_own(st->st_uid, st->st_gid)) return;
    owners.add({st->st_uid, st->st_gid, 0, 1, std::string(path) + "/"});
  });
  return owners.take();
}

std::vector<OwnedFiles> files_of_others(const IndexView& index,
                                        const std::filesystem::path& worktree,
                                        const std::vector<OwnedFiles>& directories) {
  const UniqueFd root = open_anchor(worktree);
  Owners owners;
  for (const OwnedFiles& owned : directories) owners.add(owned);
  for (const IndexRecord& record : index.entries()) {
    const IndexStat known = record.stat();
    if (owners.is_own(known.uid, known.gid)) continue;
    if (record.mode() == FileMode::gitlink || !is_known(record)) continue;
    // Some programs leave the owner out of the index, and core.checkStat may leave it so.
    const auto st = look_at(root.get(), record.path());
    if (st) owners.add({st->st_uid, st->st_gid, 1, 0, std::string(record.path())});
  }
  return owners.take();
}

namespace {

struct LinkedFile {
  dev_t device = 0;
  ino_t inode = 0;
  const IndexRecord* record = nullptr;

  bool is_same_file(const LinkedFile& other) const {
    return device == other.device && inode == other.inode;
  }
};

/// Those that are the same file as another one, side by side.
std::vector<LinkedFile> with_twins(std::vector<LinkedFile> files) {
  std::ranges::sort(files, [](const LinkedFile& a, const LinkedFile& b) {
    return std::tie(a.device, a.inode, a.record) < std::tie(b.device, b.inode, b.record);
  });
  std::vector<LinkedFile> twins;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool with_last = i > 0 && files[i].is_same_file(files[i - 1]);
    const bool with_next = i + 1 < files.size() && files[i].is_same_file(files[i + 1]);
    if (with_last || with_next) twins.push_back(files[i]);
  }
  return twins;
}

}  // namespace

HardLinks hard_links(const IndexView& index, const std::filesystem::path& worktree) {
  std::vector<LinkedFile> files;
  files.reserve(index.entries().size());
  for (const IndexRecord& record : index.entries()) {
    if (!is_regular(record.mode()) || !is_known(record)) continue;
    files.push_back({record.stat().dev, record.stat().ino, &record});
  }
  // The index has the lower half of the numbers only.
  files = with_twins(std::move(files));
  const UniqueFd root = open_anchor(worktree);
  for (LinkedFile& file : files) {
    const auto st = look_at(root.get(), file.record->path());
    file.device = st ? st->st_dev : 0;
    file.inode = st ? st->st_ino : 0;
  }
  std::erase_if(files, [](const LinkedFile& file) { return file.inode == 0; });
  files = with_twins(std::move(files));
  HardLinks links{.count = files.size(), .first = {}};
  for (std::size_t i = 0; i < std::min(files.size(), HardLinks::kFew); ++i) {
    links.first.emplace_back(files[i].record->path());
  }
  return links;
}

}  // namespace wafers::git
