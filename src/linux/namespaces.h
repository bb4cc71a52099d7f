#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace wafers {

struct Failure;  // os/failure.h

enum class NamespaceType { user, mount };

/// Moves the calling, single-threaded process into a new user namespace and a new mount namespace
/// owned by it. All capabilities in there are held until the next execve. Throws Error(failed).
void unshare_user_and_mount();

/// A new mount namespace in the current user namespace; needs CAP_SYS_ADMIN. Throws Error(failed).
void unshare_mount();

/// Right after unshare_user_and_mount(): maps one user and one group onto themselves, so that files
/// keep their owner and the process is not root in there. `uid` and `gid` are the caller's
/// effective ids as they were before: without the map, the kernel shows the overflow id. Denies
/// setgroups(2), which the kernel demands of an unprivileged gid map (user_namespaces(7)). Throws
/// Error(failed).
void map_own_ids(uid_t uid, gid_t gid);
// Its halves.
void map_own_uid(uid_t uid);
void map_own_gid(gid_t gid);

/// Mounts and unmounts made outside from now on show in this mount namespace, none of its own goes
/// out. Where the outside is private (containers), nothing goes either way. Throws Error(failed).
void make_mounts_slave();

/// run_in_child(), in a user and a mount namespace of the child's own, in which it is the caller's
/// user and group and its mounts don't show outside.
std::optional<Failure> run_in_own_namespaces(const std::function<void()>& work);

/// Joins the user and mount namespaces of the process behind `pidfd` in one step (setns(2), Linux
/// 5.8). Single-threaded callers only. The kernel moves root and working directory to the root of
/// that mount namespace. Throws Error(failed).
void enter_user_and_mount_of(int pidfd);

/// Inode of a process's namespace; absent where the process is gone or the kernel doesn't let us
/// look (ptrace access is needed: a process of another wafer, seen from inside one).
std::optional<std::uint64_t> namespace_inode(pid_t pid, NamespaceType type);
/// Throws Error(failed) where /proc isn't mounted.
std::uint64_t own_namespace_inode(NamespaceType type);

/// Inodes of the process's user namespace and of those that it lies in, inmost first, up to our own
/// or the last that the kernel lets us look at. Empty where it doesn't at all.
std::vector<std::uint64_t> user_namespaces_of(pid_t pid);

/// Whether the current user namespace owns the current mount namespace: capabilities count there.
/// After `unshare --user` alone, they don't.
bool owns_mount_namespace();

/// Inode of the user namespace in which the one of the process was made; absent where we aren't
/// allowed to look, as at what lies above our own.
std::optional<std::uint64_t> parent_of_user_namespace(pid_t pid);

/// Inode of the user namespace that owns the mount namespace of the process; absent where it can't
/// be looked at, or is one above our own.
std::optional<std::uint64_t> owner_of_mount_namespace(pid_t pid);

}  // namespace wafers
