#include "git/worktree/worktree_stat.h"

#include <cstdint>
#include <string>

namespace wafers::git {
namespace {

std::uint32_t low(auto number) { return static_cast<std::uint32_t>(number); }

/// Nanoseconds are compared where the index has them: git may have been built without them.
bool same_time(std::uint32_t seconds, std::uint32_t nanoseconds, const timespec& now, bool exact) {
  if (seconds != low(now.tv_sec)) return false;
  return !exact || nanoseconds == 0 || nanoseconds == low(now.tv_nsec);
}

bool same_data(const IndexStat& known, const struct stat& st, const StatRules& rules) {
  if (!same_time(known.mtime_seconds, known.mtime_nanoseconds, st.st_mtim, rules.check_all)) {
    return false;
  }
  if (rules.trust_ctime && rules.check_all &&
      !same_time(known.ctime_seconds, known.ctime_nanoseconds, st.st_ctim, true)) {
    return false;
  }
  if (rules.check_all &&
      (known.ino != low(st.st_ino) || known.uid != low(st.st_uid) || known.gid != low(st.st_gid))) {
    return false;
  }
  // A size of zero is also how git marks an entry that must be read (ce_smudge_racily_clean_entry).
  return known.size == low(st.st_size) && known.size != 0;
}

bool is_racy(const IndexTime& written, const IndexStat& known, const StatRules& rules) {
  const std::int64_t entry_seconds = known.mtime_seconds;
  const std::int64_t file_seconds = low(written.seconds);
  if (entry_seconds != file_seconds) return entry_seconds > file_seconds;
  return rules.racy_by_second || known.mtime_nanoseconds >= written.nanoseconds;
}

}  // namespace

StatRules stat_rules(const Repository& repository) {
  StatRules rules;
  rules.file_mode = repository.config_bool("core.fileMode", true);
  rules.symlinks = repository.config_bool("core.symlinks", true);
  rules.trust_ctime = repository.config_bool("core.trustctime", true);
  rules.check_all = repository.config("core.checkStat").value_or("default") != "minimal";
  rules.racy_by_second = true;
  return rules;
}

IndexStat index_stat_of(const struct stat& st) {
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

bool is_same_stat(const IndexStat& known, const IndexTime& written, const struct stat& st,
                  const StatRules& rules) {
  return same_data(known, st, rules) && !is_racy(written, known, rules);
}

StatVerdict compare_stat(const RecordedFile& recorded, const struct stat& st,
                         const StatRules& rules) {
  const bool link = recorded.mode == FileMode::symlink;
  if (link ? !S_ISLNK(st.st_mode) && (rules.symlinks || !S_ISREG(st.st_mode))
           : !S_ISREG(st.st_mode)) {
    return S_ISLNK(st.st_mode) || S_ISREG(st.st_mode) ? StatVerdict::retyped
                                                      : StatVerdict::modified;
  }
  const bool executable = (st.st_mode & S_IXUSR) != 0;
  if (!link && rules.file_mode && executable != (recorded.mode == FileMode::executable)) {
    return StatVerdict::modified;
  }
  if (is_same_stat(recorded.stat, recorded.written, st, rules)) return StatVerdict::same;
  const bool size_known = recorded.stat.size != 0;
  return size_known && recorded.stat.size != low(st.st_size) ? StatVerdict::modified
                                                             : StatVerdict::suspicious;
}

}  // namespace wafers::git
