#include "git/clean/content_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/objects/blob_id.h"
#include "git/objects/loose_writer.h"
#include "git/objects/sha1.h"
#include "git/repository/config.h"
#include "git/text/quote.h"
#include "git/worktree/attributes_files.h"
#include "git/worktree/convert.h"
#include "git/worktree/worktree_stat.h"
#include "os/files.h"
#include "os/task_pool.h"
#include "os/worktree_open.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// Every field counts, whatever the configuration says of the index.
constexpr StatRules kStrict{};

bool is_before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/// One file to be looked at, and what came of it.
struct Candidate {
  const IndexRecord* record = nullptr;
  std::optional<Conversion> conversion;  ///< left for one thread to do
  bool different = false;
  bool known = false;     ///< verified by an earlier check
  bool provable = false;  ///< `stat` shows any change from now on
  struct stat stat {};
};

class ContentCheck {
 public:
  ContentCheck(const Repository& repository, ObjectStore& objects, const IndexView& index,
               const fs::path& memory)
      : repository_(repository),
        objects_(objects),
        attributes_(repository,
                    [this, &index](const auto& directory) { return rules_in(directory, index); }),
        convert_(convert_config(repository)),
        root_(::open(repository.worktree().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        remembered_(read_memory(memory)) {
    // A status checks no line ends for safety (convert.c: CONV_WRITE_OBJECT).
    convert_.safecrlf = ConvertConfig::SafeCrlf::no;
  }

  ContentResult run(const std::vector<const IndexRecord*>& suspicious) {
    std::vector<Candidate> candidates(suspicious.size());
    for (std::size_t i = 0; i < suspicious.size(); ++i) candidates[i].record = suspicious[i];
    constexpr std::size_t kPerWorker = 32;
    std::atomic<std::size_t> next{0};
    run_workers(thread_count(candidates.size() / kPerWorker + 1), [&](unsigned /*worker*/) {
      for (std::size_t i = next++; i < candidates.size(); i = next++) check(candidates[i]);
    });
    for (Candidate& candidate : candidates) {
      if (candidate.conversion) convert(candidate);
    }
    return conclude(candidates);
  }

 private:
  /// The worktree's file, else the index's (attr.c: read_attr).
  std::string rules_in(const std::string& directory, const IndexView& index) {
    const std::string path = directory + ".gitattributes";
    struct stat st {};
    const std::string file = (repository_.worktree() / path).native();
    if (::lstat(file.c_str(), &st) == 0) {
      return S_ISREG(st.st_mode) ? read_file(file).value_or("") : std::string();
    }
    const IndexRecord* record = index.find(path);
    return record != nullptr && is_blob(record->mode()) ? objects_.read_blob(record->oid()) : "";
  }

  static std::optional<IndexView> read_memory(const fs::path& memory) {
    if (memory.empty()) return std::nullopt;
    try {
      return IndexView::open(memory, IndexChecksum::verified);
    } catch (const Error&) {
      return std::nullopt;  // as good as none
    }
  }

  void check(Candidate& candidate) {
    const IndexRecord& record = *candidate.record;
    const std::string path(record.path());
    const bool link = record.mode() == FileMode::symlink;
    UniqueFd fd = open_in_worktree(root_.get(), path, link ? O_PATH : O_RDONLY | O_NONBLOCK);
    // core.symlinks=false: a symlink may be a file with the target as its content.
    const auto is_as_recorded = [&] {
      return ::fstat(fd.get(), &candidate.stat) == 0 &&
             (S_ISREG(candidate.stat.st_mode) || (link && S_ISLNK(candidate.stat.st_mode)));
    };
    // Git calls a file modified whose content may not be read.
    if (!fd && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES) {
      const int err = errno;
      throw Error::system(err, "cannot open " + in_quotes(path) + " of the base");
    }
    if (!fd || !is_as_recorded()) {
      candidate.different = true;
      return;
    }
    candidate.known = is_remembered(candidate);
    if (candidate.known) return;
    timespec before{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &before);  // the kernel's clock for timestamps
    candidate.provable =
        is_before(candidate.stat.st_mtim, before) && is_before(candidate.stat.st_ctim, before);
    if (S_ISLNK(candidate.stat.st_mode)) {
      candidate.different = blob_id(link_target(fd.get(), candidate.stat)) != record.oid();
      return;
    }
    if (link) fd = open_in_worktree(root_.get(), path, O_RDONLY | O_NONBLOCK);
    check_regular(candidate, fd.get());
  }

  bool is_remembered(const Candidate& candidate) const {
    if (!remembered_) return false;
    const IndexRecord& record = *candidate.record;
    const IndexRecord* known = remembered_->find(record.path());
    if (known == nullptr || known->oid() != record.oid() || known->mode() != record.mode()) {
      return false;
    }
    const RecordedFile recorded{known->mode(), known->stat(), remembered_->written()};
    return known->stat() == index_stat_of(candidate.stat) &&
           compare_stat(recorded, candidate.stat, kStrict) == StatVerdict::same;
  }

  static std::string link_target(int fd, const struct stat& st) {
    std::string target(static_cast<std::size_t>(st.st_size) + 1, '\0');
    const ssize_t length = ::readlinkat(fd, "", target.data(), target.size());
    target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return target;
  }

  void check_regular(Candidate& candidate, int fd) {
    const bool link = candidate.record->mode() == FileMode::symlink;
    if (!link) {
      auto conversion = Conversion::choose(attributes_.of(candidate.record->path()), convert_);
      if (!conversion.is_identity()) {
        candidate.conversion = std::move(conversion);
        return;
      }
    }
    candidate.different = hash_file(fd, candidate) != candidate.record->oid();
  }

  /// As a blob of the size that was seen; a file that changes meanwhile has another hash, then.
  static Oid hash_file(int fd, const Candidate& candidate) {
    constexpr std::size_t kPiece = 64UL * 1024;
    thread_local std::string buffer(kPiece, '\0');
    Sha1 hash;
    hash.update(object_header("blob", static_cast<std::uint64_t>(candidate.stat.st_size)));
    while (true) {
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got == 0) return hash.finish();
      if (got > 0) {
        hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
      } else if (const int err = errno; err != EINTR) {
        throw Error::system(err,
                            "cannot read " + in_quotes(candidate.record->path()) + " of the base");
      }
    }
  }

  /// What `git add` would make of it. Filter programs and the object store are for one thread.
  void convert(Candidate& candidate) {
    const IndexRecord& record = *candidate.record;
    const std::string path(record.path());
    const UniqueFd fd = open_in_worktree(root_.get(), path, O_RDONLY | O_NONBLOCK);
    if (!fd) {
      candidate.different = true;
      return;
    }
    ConvertContext context;
    context.path = path;
    context.directory = repository_.worktree();
    context.environment = filter_environment(repository_, context.directory);
    context.recorded = [&] {
      std::optional<TextStats> stats;
      objects_.with_blob(record.oid(), [&](std::string_view blob) { stats = TextStats::of(blob); });
      return stats;
    };
    const std::string blob = candidate.conversion->to_git(read_all(fd.get(), path), context);
    candidate.different = blob_id(blob) != record.oid();
  }

  ContentResult conclude(const std::vector<Candidate>& candidates) const {
    ContentResult result;
    for (const Candidate& candidate : candidates) {
      if (candidate.different) {
        result.different.push_back(candidate.record);
        continue;
      }
      if (!candidate.known && !candidate.provable) continue;
      // What conversions come to depends on more than the file.
      if (candidate.conversion) continue;
      IndexEntry entry = candidate.record->entry();
      entry.stat = index_stat_of(candidate.stat);
      result.verified.files.entries.push_back(std::move(entry));
      if (!candidate.known) {
        result.verified.bytes_read += static_cast<std::uint64_t>(candidate.stat.st_size);
      }
    }
    return result;
  }

  const Repository& repository_;
  ObjectStore& objects_;
  FileAttributes attributes_;  ///< its lock guards objects_ while several threads check
  ConvertConfig convert_;
  UniqueFd root_;
  std::optional<IndexView> remembered_;
};

}  // namespace

void VerifiedFiles::remember(const fs::path& path) const noexcept {
  // Read again within a millisecond or two, and most such files are racy ones that git itself will
  // put right at its next refresh.
  constexpr std::uint64_t kWorthIt = 1024UL * 1024;
  if (bytes_read < kWorthIt) return;
  try {
    fs::create_directory(path.parent_path());
    files.write(path);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
}

ContentResult check_contents(const Repository& repository, ObjectStore& objects,
                             const IndexView& index,
                             const std::vector<const IndexRecord*>& suspicious,
                             const fs::path& memory) {
  if (suspicious.empty()) return {};
  return ContentCheck(repository, objects, index, memory).run(suspicious);
}

}  // namespace wafers::git
