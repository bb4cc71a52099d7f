#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "git/clean/file_monitor.h"
#include "git/clean/untracked_cache.h"
#include "git/index/index_view.h"
#include "git/text/ignore.h"
#include "git/worktree/worktree_stat.h"

namespace wafers::git {

/// A file with more names than one, in the worktree or elsewhere.
struct LinkedFile {
  dev_t device = 0;
  ino_t inode = 0;
  const IndexRecord* record = nullptr;
};

/// What of a worktree has one owner.
struct OwnedFiles {
  uid_t uid = 0;
  gid_t gid = 0;
  std::size_t files = 0;
  std::size_t directories = 0;  ///< without the worktree itself
  std::string first;            ///< by name; a directory ends in '/'
};

/// What one pass over a worktree tells about the index, in no order. Records point into the
/// IndexView.
struct ScanResult {
  std::vector<const IndexRecord*> deleted;
  std::vector<const IndexRecord*> modified;
  std::vector<const IndexRecord*> retyped;
  std::vector<const IndexRecord*> suspicious;  ///< only their content can tell
  std::vector<const IndexRecord*> submodules;  ///< whose directory is there
  std::vector<std::string> untracked;          ///< and not ignored; directories end in '/'
  std::vector<LinkedFile> linked;              ///< of the files that were looked at
  std::vector<std::string> warnings;           ///< of what may not be looked at, in git's words
  /// Tracked files, and directories with such, of other owners than the caller's effective user and
  /// group; by what was looked at, else by what git knows of it. One for each owner.
  std::vector<OwnedFiles> of_others;
};

struct ScanInput {
  const IndexView& index;
  std::string worktree;
  StatRules stat_rules;
  // Ignore rules from outside of the worktree, as IgnoreScope::root() takes them.
  std::string excludes_file;
  std::string info_exclude;
  LetterCase letters = LetterCase::sensitive;
  /// Content of a blob, for ignore files that a sparse checkout left out. Called by one thread at a
  /// time.
  std::function<std::string(const Oid&)> read_blob;
  // What git knows already, or null.
  const FileMonitor* file_monitor = nullptr;
  const UntrackedCache* untracked_cache = nullptr;
};

/// Compares the worktree with the index by stat data, and looks for untracked files, as `git
/// status` does: directory by directory on all cores, without an allocation per file. Where a whole
/// directory is ignored, only its tracked files are looked at. What the file monitor and the
/// untracked cache vouch for isn't looked at, as git doesn't either. What the permissions forbid to
/// look at counts as unchanged, and as empty where it is untracked. Throws Error(failed).
ScanResult scan_worktree(const ScanInput& input);

}  // namespace wafers::git
