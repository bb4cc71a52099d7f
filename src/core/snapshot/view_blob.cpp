#include "core/snapshot/view_blob.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <new>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/tree_path.h"
#include "git/worktree/worktree_stat.h"
#include "linux/writers.h"
#include "os/files.h"

namespace wafers {
namespace {

/// Smaller files are read in less time than the database is asked.
constexpr std::uint64_t kWorthAsking = 64UL * 1024;

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode &&
         same_time(a.st_mtim, b.st_mtim) && same_time(a.st_ctim, b.st_ctim);
}

void require_unchanged(const ViewFile& file, int fd) {
  struct stat now {};
  if (::fstat(fd, &now) == 0 && same_state(file.stat, now)) return;
  throw ChangedMeanwhile(ErrorKind::failed, in_quotes(file.path) + " changed while it was read");
}

/// As git's index has it.
std::uint32_t size_of(const ViewFile& file) { return git::index_stat_of(file.stat).size; }

/// That the index has of the checked-out `oid`. Zero is also what git writes where it doesn't know
/// (read-cache.c: ce_smudge_racily_clean_entry).
std::optional<std::uint32_t> size_in(const git::IndexView& index, const std::string& path,
                                     const git::Oid& oid) {
  const git::IndexRecord* record = index.find(path);
  if (record == nullptr || record->oid() != oid) return std::nullopt;
  const std::uint32_t size = record->stat().size;
  return size != 0 ? std::optional(size) : std::nullopt;
}

/// Exactly as much as `file.stat` says; ChangedMeanwhile where there is less.
std::string read_whole(const ViewFile& file, int fd) {
  std::string content(static_cast<std::size_t>(file.stat.st_size), '\0');
  const ssize_t got = read_full(fd, content.data(), content.size());
  if (got < 0) throw_errno("cannot read", file.path);
  require_unchanged(file, fd);
  if (static_cast<std::size_t>(got) < content.size()) {
    throw ChangedMeanwhile(ErrorKind::failed, in_quotes(file.path) + " shrank");
  }
  return content;
}

}  // namespace

timespec timestamp_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

git::IndexStat provable_stat(const struct stat& stat, const timespec& since) {
  const git::IndexStat all = git::index_stat_of(stat);
  const bool settled = is_before(stat.st_mtim, since) && is_before(stat.st_ctim, since);
  return settled ? all : git::IndexStat{.size = all.size};
}

bool is_proof(const git::IndexEntry& entry, const git::IndexFile& cache) {
  return std::pair<std::int64_t, std::int64_t>(entry.stat.mtime_seconds,
                                               entry.stat.mtime_nanoseconds) <
         std::pair(cache.mtime_seconds, cache.mtime_nanoseconds);
}

BlobReader::BlobReader(const SnapshotInput& input, BaseIndex& base_index)
    : input_(input),
      config_(git::convert_config(*input.repository)),
      base_index_(base_index),
      index_{input.cache},
      seen_{input.seen} {}

const git::IndexEntry* BlobReader::find(Cursor& cursor, const std::string& path) {
  if (cursor.cache == nullptr) return nullptr;
  const auto& entries = cursor.cache->entries;
  const bool is_next = cursor.next < entries.size() && entries[cursor.next].path == path &&
                       entries[cursor.next].stage == 0;
  const git::IndexEntry* entry = is_next ? &entries[cursor.next] : cursor.cache->find(path);
  if (entry != nullptr) cursor.next = static_cast<std::size_t>(entry - entries.data()) + 1;
  return entry;
}

/// The entry of the cache that still describes the file.
const git::IndexEntry* BlobReader::cached(const ViewFile& file, Cursor& cursor) const {
  const git::IndexEntry* entry = find(cursor, file.path);
  if (entry == nullptr || !git::is_blob(entry->mode)) return nullptr;
  if ((entry->mode == git::FileMode::symlink) != S_ISLNK(file.stat.st_mode)) return nullptr;
  const bool same = entry->stat == git::index_stat_of(file.stat);
  return same && is_proof(*entry, *cursor.cache) ? entry : nullptr;
}

/// What the private index says of the file. An agent can write it, and what
/// git-add stored before it was cut off is garbage to git: a name counts only with its object.
const git::IndexEntry* BlobReader::indexed(const ViewFile& file) {
  const git::IndexEntry* entry = cached(file, index_);
  if (entry == nullptr) return nullptr;
  const bool recorded = file.tip != nullptr && file.tip->oid == entry->oid;
  return recorded || input_.objects->holds(entry->oid) ? entry : nullptr;
}

/// What was seen of the file, unless it is to be stored now, or attributes have come that convert
/// it: git reads a file again that differs from its index.
const git::IndexEntry* BlobReader::seen(const ViewFile& file) {
  const git::IndexEntry* entry = cached(file, seen_);
  if (entry == nullptr) return nullptr;
  const bool stored = file.tip != nullptr && file.tip->oid == entry->oid;
  if (input_.purpose != SnapshotPurpose::status && !stored) return nullptr;
  if (entry->mode == git::FileMode::symlink) return entry;
  const git::Attributes attributes = file.attributes.of_file(file.name);
  return git::Conversion::choose(attributes, config_).is_identity() ? entry : nullptr;
}

std::optional<BlobReader::Result> BlobReader::known(const ViewFile& file) {
  const git::IndexEntry* entry = indexed(file);
  const bool in_index = entry != nullptr;
  if (!in_index) entry = seen(file);
  if (entry == nullptr) return std::nullopt;
  if (!in_index) ++read_;  // once, or else each status would read some more files
  Result result;
  result.oid = entry->oid;
  result.stat = entry->stat;
  result.plain = result.seen_before = !in_index;
  return result;
}

std::optional<BlobReader::Result> BlobReader::changed_by_size(const ViewFile& file) {
  constexpr std::size_t kFew = 100;
  constexpr off_t kLarge = 1024L * 1024;  // takes longer to convert than git's index to look at
  const bool worth_asking = read_ >= kFew || file.stat.st_size >= kLarge;
  if (input_.purpose != SnapshotPurpose::status || file.tip == nullptr || !worth_asking) {
    return std::nullopt;
  }
  if (!S_ISREG(file.stat.st_mode) || !git::is_regular(file.tip->mode)) return std::nullopt;
  const auto recorded = recorded_size(file.path, file.tip->oid);
  if (!recorded || *recorded == size_of(file)) return std::nullopt;
  Result result;
  result.oid = file.tip->oid;
  result.size_differs = true;
  return result;
}

BlobReader::Result BlobReader::read(const ViewFile& file, std::vector<std::string>& warnings) {
  Result result;
  ++read_;
  timespec since = timestamp_clock();
  try {
    if (S_ISLNK(file.stat.st_mode)) {
      result.oid = store(file.dir.read_link(file.name));
      result.plain = true;
    } else if (!read_regular(file, result, warnings)) {
      since = {};
    }
    // The size alone still tells git's status whether the file is as checked out.
    result.stat = provable_stat(file.stat, since);
  } catch (const ChangedMeanwhile&) {
    throw;
  } catch (const Error& error) {
    result.failure = error.message();
  } catch (const std::bad_alloc&) {  // to be converted, a file must be in memory as a whole
    result.failure = "cannot read " + in_quotes(file.path) + ": " + describe_errno(ENOMEM);
  }
  return result;
}

git::Oid BlobReader::store(std::string_view content) const {
  return input_.purpose == SnapshotPurpose::status ? input_.objects->hash_blob(content)
                                                   : input_.objects->write_blob(content);
}

/// False where the file may change later and its times don't.
bool BlobReader::read_regular(const ViewFile& file, Result& result,
                              std::vector<std::string>& warnings) {
  struct stat opened {};
  const UniqueFd fd = file.dir.open_file(file.name, &opened);
  if (!same_state(file.stat, opened)) {
    throw ChangedMeanwhile(ErrorKind::failed, in_quotes(file.path) + " was replaced");
  }
  // Asked before it is read: who opens it from now on changes its times. fuse-overlayfs writes what
  // is stored to a mapping, and that changes them.
  const bool times_tell = input_.dialect == UpperDialect::fuse || has_no_writer(fd.get());
  const git::Attributes attributes = file.attributes.of_file(file.name);
  const git::Conversion conversion = git::Conversion::choose(attributes, config_);
  const bool filtered = attributes.find("filter") != attributes.end();
  if (filtered && filter_directory_.empty()) {
    filter_directory_ = input_.filter_directory ? input_.filter_directory() : input_.upper;
    filter_environment_ = git::filter_environment(*input_.repository, filter_directory_);
  }
  if (!conversion.is_identity()) {
    result.oid = store(conversion.to_git(read_whole(file, fd.get()), context_for(file, warnings)));
    // Not with a filter program: it would have to run once more, the other way round.
    if (!filtered) result.size_differs = size_differs(file, result.oid);
  } else if (differs_by_size(file)) {
    result.oid = file.tip->oid;
    result.size_differs = true;
  } else {
    result.oid = stream(file, fd.get());
    result.plain = true;
  }
  return times_tell;
}

/// For a status, whether a large file that nothing converts has another size than the tip's: then
/// nothing of it need be read.
bool BlobReader::differs_by_size(const ViewFile& file) const {
  const auto size = static_cast<std::uint64_t>(file.stat.st_size);
  if (input_.purpose != SnapshotPurpose::status || size < kWorthAsking) return false;
  if (file.tip == nullptr || !git::is_regular(file.tip->mode)) return false;
  const git::Oid& recorded = file.tip->oid;
  return input_.objects->holds(recorded) && input_.objects->object_size(recorded) != size;
}

git::Oid BlobReader::stream(const ViewFile& file, int fd) const {
  git::Oid oid;
  try {
    // Only a commit tells of what comes of comparing the two.
    const bool replaces = input_.purpose == SnapshotPurpose::commit && file.tip != nullptr &&
                          git::is_regular(file.tip->mode);
    oid = input_.objects->write_blob_from(fd, static_cast<std::uint64_t>(file.stat.st_size),
                                          replaces ? file.tip->oid : git::Oid{});
  } catch (const Error&) {
    require_unchanged(file, fd);  // a file that shrank explains the error
    throw;
  }
  require_unchanged(file, fd);
  return oid;
}

git::ConvertContext BlobReader::context_for(const ViewFile& file,
                                            std::vector<std::string>& warnings) {
  git::ConvertContext context;
  context.path = file.path;
  context.directory = filter_directory_;
  context.environment = filter_environment_;
  context.warnings = &warnings;
  context.drivers = &drivers_;
  context.writes = input_.purpose == SnapshotPurpose::commit;
  context.recorded = [this, tip = file.tip] {
    std::optional<git::TextStats> stats;
    if (tip == nullptr || !git::is_blob(tip->mode)) return stats;
    input_.objects->with_blob(tip->oid,
                              [&](std::string_view blob) { stats = git::TextStats::of(blob); });
    return stats;
  };
  return context;
}

/// Of the checked-out `oid`, where a delta layer has it.
std::optional<std::uint32_t> BlobReader::size_in_delta(const std::string& path,
                                                       const git::Oid& oid) {
  const auto& layers = input_.layers;
  if (layers.size() < 2) return std::nullopt;
  if (!delta_) {
    delta_ = MergedDir::open_base({layers.begin(), layers.end() - 1}, input_.dialect);
  }
  const std::size_t end = path.rfind('/');
  const bool at_top = end == std::string::npos;
  const auto stat =
      at_top ? delta_->stat(path) : delta_->descend(path.substr(0, end)).stat(path.substr(end + 1));
  if (!stat || !S_ISREG(stat->st_mode)) return std::nullopt;
  const auto entry = git::entry_at(*input_.objects, input_.base_tree, path);
  if (!entry || entry->oid != oid) return std::nullopt;
  return git::index_stat_of(*stat).size;
}

/// The size that git's index has or would have of the checked-out `oid`, where it is known.
std::optional<std::uint32_t> BlobReader::recorded_size(const std::string& path,
                                                       const git::Oid& oid) {
  if (input_.inside_index != nullptr) return size_in(*input_.inside_index, path, oid);
  const git::IndexEntry* own = input_.cache != nullptr ? input_.cache->find(path) : nullptr;
  if (own != nullptr && own->oid == oid && own->stat.size != 0) return own->stat.size;
  const auto size = size_in_delta(path, oid);
  if (!size) return size_in(base_index_.view(), path, oid);
  return *size != 0 ? size : std::nullopt;
}

bool BlobReader::size_differs(const ViewFile& file, const git::Oid& oid) {
  const bool unchanged = file.tip != nullptr && file.tip->oid == oid;
  if (!unchanged || input_.purpose != SnapshotPurpose::status) return false;
  return recorded_size(file.path, oid).value_or(size_of(file)) != size_of(file);
}

}  // namespace wafers
