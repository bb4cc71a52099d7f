#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/git_commands/commit.h"
#include "core/git_commands/status.h"
#include "core/git_commands/wafer_git.h"
#include "core/snapshot/snapshot.h"
#include "core/state/wafer.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers::test {

/// A wafer without a mount: its upper is an ordinary directory in which whiteouts and opaque marks
/// are made by hand. Whatever is done in it is done to a plain copy of the base as well, where git
/// tells what wafers must find.
class HandMadeView {
 public:
  /// `base` runs through `sh -eu` in the new repository; what it leaves is the base's commit.
  explicit HandMadeView(const std::string& base);

  // What an agent does, in view and copy.
  void write(const std::string& path, std::string_view content);
  void remove(const std::string& path);
  void make_directory(const std::string& path);
  void make_executable(const std::string& path);
  void make_symlink(const std::string& path, const std::string& target);
  /// The upper gets what the copy has at `path`: the file, symlink, fifo or directory, its
  /// ancestors first.
  void copy_up(const std::string& path);
  /// `script` runs in the copy; what it changed in there is then carried over by copy_up().
  void run_in_copy(const std::string& script, const std::vector<std::string>& changed);

  std::filesystem::path upper() const { return wafer_.upper(); }
  const GitRepo& base() const { return base_; }
  const GitRepo& copy() const { return copy_; }
  std::filesystem::path scratch() const { return scratch_.path(); }
  /// A setting of both repositories.
  void configure(const std::string& key, const std::string& value);
  Wafer& wafer() { return wafer_; }

  // What wafers makes of it.
  Snapshot snapshot(SnapshotPurpose purpose = SnapshotPurpose::commit) const;
  /// `change` may edit what take_snapshot() is told, with the wafer's own stat cache in it.
  Snapshot snapshot(SnapshotPurpose purpose,
                    const std::function<void(SnapshotInput&)>& change) const;
  std::string status() const;  ///< its lines
  /// Commits and notes the new tip, as git_commit() does.
  CommitResult commit(const CommitRequest& request);
  CommitResult commit(const std::string& message = "test");
  std::string diff(const DiffRequest& request) const;

  // What git makes of the copy.
  std::string git_status() const { return copy_.git({"status", "--porcelain"}); }
  /// Tree after `git add -A`, which is committed as well: the next round starts from it.
  std::string git_commit();
  /// "<commit>:<path>" of the base, read by git.
  std::string git_show(const std::string& commit_and_path) const;

 private:
  TempDir scratch_;
  GitRepo base_;
  GitRepo copy_;
  Wafer wafer_;
};

}  // namespace wafers::test
