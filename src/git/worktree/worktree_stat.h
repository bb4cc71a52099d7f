#pragma once

#include <sys/stat.h>

#include "git/index/index_file.h"
#include "git/repository/repository.h"

namespace wafers::git {

/// How far the stat data in an index is to be believed: git-config(1), core.fileMode,
/// core.symlinks, core.trustctime, core.checkStat.
struct StatRules {
  bool file_mode = true;
  bool symlinks = true;
  bool trust_ctime = true;
  bool check_all = true;  ///< core.checkStat=default: inode, owner and nanoseconds count as well
  /// An entry is racy in the whole second in which its index was written. So git has it where it
  /// was built without USE_NSEC, as Debian's is; and whoever else wrote the index may have looked
  /// at the file before it was changed once more within the same tick of the clock.
  bool racy_by_second = false;
};
/// For the index of the repository.
StatRules stat_rules(const Repository& repository);

enum class StatVerdict {
  same,        ///< nothing of it changed: the file needn't be read
  suspicious,  ///< only its content can tell
  modified,    ///< certainly changed, mode or size
  retyped,     ///< a file became a symlink or the other way round
};

/// What git's index keeps of a file (read-cache.c: fill_stat_data).
IndexStat index_stat_of(const struct stat& st);

/// Whether nothing of the stat data has changed that git compares, and the index was written late
/// enough after it for that to prove something (read-cache.c: match_stat_data_racy).
bool is_same_stat(const IndexStat& known, const IndexTime& written, const struct stat& st,
                  const StatRules& rules);

/// What an index says of a blob: mode and stat data, and when it was written.
struct RecordedFile {
  FileMode mode = FileMode::absent;
  IndexStat stat;
  IndexTime written;
};

/// Compares a blob's entry with what lstat(2) says of its file, as git's read-cache.c does
/// (ie_match_stat, ie_modified), racy entries included. Neither directory nor gitlink.
StatVerdict compare_stat(const RecordedFile& recorded, const struct stat& st,
                         const StatRules& rules);

}  // namespace wafers::git
