#include "core/view_blob.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

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

/// The clock that the kernel takes timestamps from: a file that is changed from now on gets this
/// time or a later one.
timespec timestamp_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

void require_unchanged(const ViewFile& file, int fd) {
  struct stat now {};
  if (::fstat(fd, &now) == 0 && same_state(file.stat, now)) return;
  throw ChangedMeanwhile(ErrorKind::failed,
                         wafers::quoted(file.path) + " changed while it was read");
}

/// Exactly as much as `file.stat` says; ChangedMeanwhile where there is less.
std::string read_whole(const ViewFile& file, int fd) {
  std::string content(static_cast<std::size_t>(file.stat.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(fd, content.data() + done, content.size() - done);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) {
      const int err = errno;
      throw Error::system(err, "cannot read " + wafers::quoted(file.path));
    }
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  require_unchanged(file, fd);
  if (done < content.size()) {
    throw ChangedMeanwhile(ErrorKind::failed, wafers::quoted(file.path) + " shrank");
  }
  return content;
}

}  // namespace

git::IndexStat index_stat(const struct stat& st) {
  const auto low = [](auto number) { return static_cast<std::uint32_t>(number); };
  return {.ctime_seconds = low(st.st_ctim.tv_sec),
          .ctime_nanoseconds = low(st.st_ctim.tv_nsec),
          .mtime_seconds = low(st.st_mtim.tv_sec),
          .mtime_nanoseconds = low(st.st_mtim.tv_nsec),
          .dev = low(st.st_dev),
          .ino = low(st.st_ino),
          .uid = low(st.st_uid),
          .gid = low(st.st_gid),
          .size = low(st.st_size)};
}

bool is_proof(const git::IndexEntry& entry, const git::IndexFile& cache) {
  return std::pair<std::int64_t, std::int64_t>(entry.stat.mtime_seconds,
                                               entry.stat.mtime_nanoseconds) <
         std::pair(cache.mtime_seconds, cache.mtime_nanoseconds);
}

BlobReader::BlobReader(const SnapshotInput& input)
    : input_(input),
      config_(input.repository->convert_config()),
      worktree_(input.repository->worktree()),
      environment_{"GIT_DIR=" + input.repository->git_dir().native()} {
  // Git checks the safety of line end conversion only when it writes objects (convert.c:
  // CONV_WRITE_OBJECT): a status neither warns nor fails.
  if (input.purpose != SnapshotPurpose::commit) config_.safecrlf = git::ConvertConfig::SafeCrlf::no;
}

/// The entry of the cache that still describes the file.
const git::IndexEntry* BlobReader::cached(const ViewFile& file) const {
  const git::IndexFile* cache = input_.cache;
  const git::IndexEntry* entry = cache != nullptr ? cache->find(file.path) : nullptr;
  if (entry == nullptr || !git::is_blob(entry->mode)) return nullptr;
  if ((entry->mode == git::FileMode::symlink) != S_ISLNK(file.stat.st_mode)) return nullptr;
  return entry->stat == index_stat(file.stat) && is_proof(*entry, *cache) ? entry : nullptr;
}

BlobReader::Result BlobReader::read(const ViewFile& file,
                                    std::vector<std::string>& warnings) const {
  Result result;
  if (const git::IndexEntry* entry = cached(file)) {
    result.oid = entry->oid;
    result.stat = entry->stat;
    return result;
  }
  const timespec now = timestamp_clock();
  try {
    if (S_ISLNK(file.stat.st_mode)) {
      result.oid = store(file.dir.read_link(file.name));
    } else {
      read_regular(file, result, warnings);
    }
    if (is_before(file.stat.st_mtim, now) && is_before(file.stat.st_ctim, now)) {
      result.stat = index_stat(file.stat);
    }
  } catch (const ChangedMeanwhile&) {
    throw;
  } catch (const Error& error) {
    result.failure = error.message();
  }
  return result;
}

git::Oid BlobReader::store(std::string_view content) const {
  return input_.purpose == SnapshotPurpose::status ? input_.objects->hash_blob(content)
                                                   : input_.objects->write_blob(content);
}

void BlobReader::read_regular(const ViewFile& file, Result& result,
                              std::vector<std::string>& warnings) const {
  struct stat opened {};
  const UniqueFd fd = file.dir.open_file(file.name, &opened);
  if (!same_state(file.stat, opened)) {
    throw ChangedMeanwhile(ErrorKind::failed, wafers::quoted(file.path) + " was replaced");
  }
  const git::Attributes attributes = file.attributes.of_file(file.name);
  const git::Conversion conversion = git::Conversion::choose(attributes, config_);
  if (!conversion.is_identity()) {
    result.oid = store(conversion.to_git(read_whole(file, fd.get()), context_for(file, warnings)));
    // Not with a filter program: it would have to run once more, the other way round.
    if (attributes.find("filter") == attributes.end()) {
      result.size_differs = size_differs(file, conversion, result.oid);
    }
  } else if (input_.purpose == SnapshotPurpose::diff) {
    // A diff must be able to read the blob again, so it goes through memory as a whole.
    result.oid = store(read_whole(file, fd.get()));
  } else {
    result.oid = stream(file, fd.get());
  }
}

git::Oid BlobReader::stream(const ViewFile& file, int fd) const {
  git::Oid oid;
  try {
    oid = input_.objects->write_blob_from(fd, static_cast<std::uint64_t>(file.stat.st_size));
  } catch (const Error&) {
    require_unchanged(file, fd);  // a file that shrank explains the error
    throw;
  }
  require_unchanged(file, fd);
  return oid;
}

git::ConvertContext BlobReader::context_for(const ViewFile& file,
                                            std::vector<std::string>& warnings) const {
  git::ConvertContext context;
  context.path = file.path;
  context.directory = worktree_;
  context.environment = environment_;
  context.warnings = &warnings;
  context.recorded_blob = [this, tip = file.tip]() -> std::optional<std::string> {
    if (tip == nullptr || !git::is_blob(tip->mode)) return std::nullopt;
    return input_.objects->read_blob(tip->oid);
  };
  return context;
}

bool BlobReader::size_differs(const ViewFile& file, const git::Conversion& conversion,
                              const git::Oid& oid) const {
  const bool unchanged = file.tip != nullptr && file.tip->oid == oid;
  if (!unchanged || input_.purpose != SnapshotPurpose::status) return false;
  const auto size = static_cast<std::uint64_t>(file.stat.st_size);
  const git::IndexEntry* entry = input_.cache != nullptr ? input_.cache->find(file.path) : nullptr;
  if (entry != nullptr && entry->oid == oid && entry->stat != git::IndexStat{}) {
    return entry->stat.size != static_cast<std::uint32_t>(size);
  }
  std::vector<std::string> unheard;
  const std::string checked_out =
      conversion.to_worktree(input_.objects->read_blob(oid), oid.hex(), context_for(file, unheard));
  return checked_out.size() != size;
}

}  // namespace wafers
