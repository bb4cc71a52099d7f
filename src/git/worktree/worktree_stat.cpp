#include "git/worktree/worktree_stat.h"

#include <cstdint>

namespace wafers::git {
namespace {

std::uint32_t low(auto number) { return static_cast<std::uint32_t>(number); }

}  // namespace

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

}  // namespace wafers::git
