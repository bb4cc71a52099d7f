#pragma once

#include <sys/stat.h>

#include "git/index/index_entry.h"

namespace wafers::git {

/// What git's index keeps of a file (read-cache.c: fill_stat_data).
IndexStat index_stat_of(const struct stat& st);

}  // namespace wafers::git
