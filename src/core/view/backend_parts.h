#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "core/view/backend.h"
#include "linux/overlay.h"
#include "os/scratch.h"

namespace wafers {

// What the implementations of Backend share. Not for the rest of core.

std::unique_ptr<Backend> make_namespace_backend();
std::unique_ptr<Backend> make_host_backend();
std::unique_ptr<Backend> make_fuse_backend();

/// What the mount table shows as source of a kernel overlay of ours: the name for people, and the
/// upper's inode, so that a wafer of the same name in another state directory isn't taken for this
/// one.
std::string view_source(const Wafer& wafer);

OverlaySpec overlay_of(const Wafer& wafer);

/// After a volatile mount: the kernel's mark is of no use, and takes two blocks of the disk.
void tidy_work_directory(const Wafer& wafer) noexcept;

/// Mounts a kernel overlay by `attempt`, once more where the base was made anew (ESTALE), and for a
/// while where the upper is still in use (EBUSY): the kernel takes the mounts of a namespace down
/// some time after its last process has ended, and there is nothing to wait for. So it does where
/// another process has left the mark of a volatile mount in between (EINVAL): a holder that was
/// still at it when the command that had started it was killed. Throws what `attempt` throws last.
void retry_while_in_use(const Wafer& wafer, const std::function<void()>& attempt);

/// Whether the record is of this boot: pids, inodes and device numbers mean nothing otherwise.
bool is_of_this_boot(const std::optional<MountRecord>& record);

/// The process of the record; empty where it has ended.
UniqueFd open_recorded_process(const std::optional<MountRecord>& record);

/// Processes that keep the wafer's view busy as seen from where it is mounted, without this one.
std::vector<Occupant> occupants_of_view(const Wafer& wafer, const ViewIdentity& view);

Occupant describe_occupant(pid_t pid);

/// Error(busy) that names them; where there are none to name, it says so.
Error view_is_busy(const Wafer& wafer, const std::vector<Occupant>& occupants);

/// Passes on an error that tells nothing of the host (Error::is_shortage).
Trial trial_failed(const Error& error, const std::string& hint);

/// What to do where a trial of this kind failed: by looking at the host, so for failures only.
std::string hint_for_kernel_overlay(const std::filesystem::path& state_dir);
std::string hint_for_namespaces(const std::filesystem::path& state_dir);
std::string hint_for_fuse();

}  // namespace wafers
