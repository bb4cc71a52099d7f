#pragma once

#include <filesystem>
#include <string>
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
                              const git::Oid& from, const git::Oid& to) const;

 private:
  const Store& store_;
  std::filesystem::path directory_;
  UniqueFd lock_;
};

}  // namespace wafers
