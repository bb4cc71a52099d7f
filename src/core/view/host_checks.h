#pragma once

#include <filesystem>
#include <string>

#include "core/view/base_mounts.h"
#include "core/view/check.h"
#include "core/view/trial.h"
#include "linux/host_facts.h"

namespace wafers {

// From facts to what a person can do about them. Pure: no system call in here, so that a host that
// is not at hand can be examined in a test. `missing` is the status of a check whose subject is
// missing or refused: `fail` where no backend works at all, else `warn`.

/// Whether a process that may do so has asked the kernel for an overlay before the facts were read:
/// it loads its module then, and not before.
enum class OverlayMount { tried, not_tried };
Check check_kernel(const KernelFacts& facts, OverlayMount overlay, CheckStatus missing);

/// Told apart by what really failed, with the sysctls only to explain it.
Check check_user_namespaces(const RestrictionFacts& restrictions, const UserNamespaceProbe& probe,
                            CheckStatus missing);

Check check_state_directory(const std::filesystem::path& directory, const FileSystemFacts& facts,
                            CheckStatus missing);

Check check_trial(BackendKind kind, const Trial& trial, CheckStatus missing);

/// In place of a trial, for a caller without CAP_SYS_ADMIN.
Check check_host_not_tried(CheckStatus missing);

/// Of ssh inside the namespace backend: never a reason for a view not to be mounted.
Check check_ssh(const SshFacts& facts);

Check check_fuse_server(const FuseFacts& facts, CheckStatus missing);

enum class Caller { root, ordinary_user };
Check check_fusermount(const FuseFacts& facts, const RestrictionFacts& restrictions, Caller caller,
                       CheckStatus missing);

/// Whether fusermount3 would unmount for the caller what it mounts.
Check check_unmounting(const FuseFacts& facts, Caller caller, CheckStatus missing);

/// Of the repository that was examined.
Check check_base_mount(const std::filesystem::path& worktree, const BaseMount& mount);

/// Whether the views are unmounted before the host goes down.
Check check_shutdown(const ShutdownFacts& facts);

/// Whether a process waits for what has lost its parent (os/orphans.h).
Check check_orphans(bool reaped);

Check check_fuse_device(const FuseFacts& facts, CheckStatus missing);

}  // namespace wafers
