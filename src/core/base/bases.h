#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "core/base/difference.h"
#include "core/state/store.h"
#include "git/repository/repository.h"

namespace wafers {

/// Of the state directory: names of directories in which layers are made begin with it. They are
/// claimed (os/claim.h) by the process that is at it.
inline constexpr std::string_view kMakingPrefix = ".making-";

/// flock(2) of that directory; `operation` as for that call. Throws Error(failed): ENOENT where
/// there never was a layer, EWOULDBLOCK with LOCK_NB.
UniqueFd lock_bases(const Store& store, int operation);

/// What the names of snapshots of commits begin with. The newest of a repository is kept for a day
/// when no wafer uses it any more: its time of modification is that of its last use.
inline constexpr std::string_view kFrozenPrefix = "frozen-";

/// The directory of layers that the wafers of a state directory share (kBasesDirectory). A layer is
/// complete and on the disk when it has its name, and is never changed after that. The name says
/// what it shows, so the same layer is found again and made once, whoever comes first.
class Bases {
 public:
  /// `store` must outlive this. Makes the directory, and keeps what is in it from being taken away
  /// for as long as this object lives: until a record names it. Waits while another process takes
  /// layers away. Throws Error(failed).
  explicit Bases(const Store& store);

  /// The layer that makes `below`, which show the tree of the commit `from`, show that of `to`. It
  /// is made where it isn't there, which costs what the two differ by. Throws as
  /// write_difference() does; nothing is left then.
  std::filesystem::path delta(const git::Repository& repository, const LayersBelow& below,
                              const git::Oid& from, const git::Oid& to);

  /// Layers that show a commit and need no checkout: a snapshot (core/base/freeze.h), or a delta
  /// above one of another commit where that is less to write. What isn't there is made, by one
  /// process at a time, of which people are told. `refresh`: of ignored files as they are now.
  /// Throws as those functions do; nothing is left then.
  LayersBelow frozen(const git::Repository& repository, const git::Oid& commit,
                     UpperDialect dialect, bool refresh = false);

  /// Whether a layer had to be made.
  bool has_made() const noexcept { return has_made_; }

 private:
  struct Snapshot;
  std::vector<Snapshot> snapshots_of(const git::Repository& repository) const;
  Snapshot take_snapshot(const git::Repository& repository, const git::Oid& commit,
                         unsigned generation);
  std::filesystem::path delta(const git::Repository& repository, const LayersBelow& below,
                              const TreePair& trees, const std::string& kind);

  const Store& store_;
  std::filesystem::path directory_;
  UniqueFd lock_;
  bool has_made_ = false;
};

}  // namespace wafers
