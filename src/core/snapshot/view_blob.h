#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/snapshot/base_index.h"
#include "core/snapshot/snapshot_types.h"
#include "git/index/index_file.h"
#include "git/repository/repository.h"
#include "git/text/attributes.h"
#include "git/worktree/convert.h"
#include "git/worktree/convert_driver.h"
#include "linux/merged_dir.h"
#include "os/plain_dir.h"

namespace wafers {

/// One regular file or symlink of the view that is to become a blob.
struct ViewFile {
  const PlainDir& dir;  ///< the layer's directory that holds it
  const std::string& name;
  std::string path;  ///< from the view's root
  struct stat stat {};
  const git::AttributeScope& attributes;  ///< of its directory
  const git::TreeEntry* tip = nullptr;    ///< what the tip has at this path, if a blob
};

/// Turns files of the view into blobs: clean filters, the stat cache, and files that change while
/// they are read. Knows nothing of the walk, and keeps no state that depends on its order but for
/// speed, and the filter programs that were started, until the end.
class BlobReader {
 public:
  /// Both must outlive this.
  BlobReader(const SnapshotInput& input, BaseIndex& base_index);

  struct Result {
    git::Oid oid;
    /// Of the file that was hashed; only its size where they prove nothing, because the file could
    /// have been changed within the resolution of its timestamps, or can be by who has it open.
    git::IndexStat stat;
    std::string failure;  ///< why there is no oid: unreadable, a conversion that failed, ...
    /// Git's status calls a file modified whose size isn't that of its checked-out version, even if
    /// the clean filters make the same blob of it (read-cache.c: ie_modified). The oid is then the
    /// tip's, also where the file was not read for that.
    bool size_differs = false;
    /// The blob is what the file holds: no conversion has a part in it.
    bool plain = false;
    bool seen_before = false;  ///< known by SnapshotInput::seen
  };
  /// What the caches know of a file that they still describe.
  std::optional<Result> known(const ViewFile& file);
  /// For a status, of a file that known() doesn't know: where the tip's version has another size
  /// when it is checked out, that is a change, and nothing need be read. Git thinks so, too
  /// (read-cache.c: ie_modified), whatever the file's attributes say. The first small files are
  /// read all the same: the next status knows those without the base's index, which is much to read
  /// for them.
  std::optional<Result> changed_by_size(const ViewFile& file);
  /// Throws ChangedMeanwhile where the file isn't what `file.stat` says any more: look it up again.
  Result read(const ViewFile& file, std::vector<std::string>& warnings);

 private:
  struct Cursor {
    const git::IndexFile* cache = nullptr;
    std::size_t next = 0;  ///< where the entry of the next file of the walk should be
  };
  static const git::IndexEntry* find(Cursor& cursor, const std::string& path);
  const git::IndexEntry* cached(const ViewFile& file, Cursor& cursor) const;
  const git::IndexEntry* indexed(const ViewFile& file);
  const git::IndexEntry* seen(const ViewFile& file);
  bool read_regular(const ViewFile& file, Result& result, std::vector<std::string>& warnings);
  bool differs_by_size(const ViewFile& file) const;
  git::Oid stream(const ViewFile& file, int fd) const;
  git::Oid store(std::string_view content) const;
  std::optional<std::uint32_t> size_in_delta(const std::string& path, const git::Oid& oid);
  std::optional<std::uint32_t> recorded_size(const std::string& path, const git::Oid& oid);
  bool size_differs(const ViewFile& file, const git::Oid& oid);
  git::ConvertContext context_for(const ViewFile& file, std::vector<std::string>& warnings);

  const SnapshotInput& input_;
  git::ConvertConfig config_;
  BaseIndex& base_index_;
  std::optional<MergedDir> delta_;  ///< the base's layers above the lowest, once they are asked for
  Cursor index_, seen_;
  std::size_t read_ = 0;  ///< how many files, those of `seen` included
  // For external filters.
  std::string filter_directory_;  ///< empty until one is to run
  std::vector<std::string> filter_environment_;
  git::DriverPool drivers_;
};

/// The clock that the kernel takes timestamps from: a file that is changed from now on gets this
/// time or a later one.
timespec timestamp_clock();

/// What a cache may say of a file that was looked at `since` then and read afterwards: only its
/// size where another write within the same tick would leave no trace.
git::IndexStat provable_stat(const struct stat& stat, const timespec& since);

/// Whether the cache is younger than the file of this entry was: else that could have been changed
/// within one tick after the entry was made, and its stat data prove nothing (git's racy-git.txt).
bool is_proof(const git::IndexEntry& entry, const git::IndexFile& cache);

}  // namespace wafers
