#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "base/fd.h"

namespace wafers {

/// The supplementary groups of this process.
std::vector<gid_t> supplementary_groups();

/// Groups that a user namespace is to have beside the caller's own, and who may map them: newgidmap
/// (shadow-utils), which is setuid root and heeds /etc/subgid.
struct MappedGroups {
  std::vector<gid_t> groups;
  std::filesystem::path newgidmap;
};

/// Has newgidmap write the gid map of this process's user namespace. It must be started before that
/// one is made, for in there it has no privilege.
class GroupMapper {
 public:
  /// Starts a process that waits. `own`: the effective group. Throws Error(failed).
  GroupMapper(const MappedGroups& wanted, gid_t own);
  GroupMapper(const GroupMapper&) = delete;
  GroupMapper& operator=(const GroupMapper&) = delete;
  /// Ends the process where map() was not called.
  ~GroupMapper();

  /// After unshare_user_and_mount(), by the process that made this: maps the groups and `own` onto
  /// themselves. False, and nothing is mapped, where newgidmap refuses. To be called once.
  bool map();

 private:
  UniqueFd go_;
  pid_t pid_ = -1;
};

/// As map_own_ids() (linux/namespaces.h), and the groups of `mapper` as well, if it is there and
/// may map them. Then setgroups(2) stays allowed with CAP_SETGID in there, which no process
/// keeps.
void map_own_ids(uid_t uid, gid_t gid, GroupMapper* mapper);

/// Tries it, in a child. Throws Error(failed) where there can be no child.
bool can_map(const MappedGroups& wanted);

}  // namespace wafers
