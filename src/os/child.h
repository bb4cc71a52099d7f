#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "os/failure.h"

namespace wafers {

/// Runs `work` in a forked child, for what a process can't take back: joining and making
/// namespaces. An Error, or any other exception, ends in the child and comes back as a value;
/// nothing that belongs to the parent is cleaned up twice, since the child leaves by _exit. Absent
/// on success. Throws Error(failed) where the child can't be made.
std::optional<Failure> run_in_child(const std::function<void()>& work);

/// As run_in_child(), but returns when `work` is done, not when the child has ended: for what the
/// kernel takes down at a process's end, which may be long. Nothing of the caller's goes on in it:
/// no session, stream, descriptor or lock; what `work` wants kept until then is its working
/// directory. The child is no longer ours: there is nothing to wait for. For where orphans are
/// reaped (os/orphans.h).
std::optional<Failure> run_in_lingering_child(const std::function<void()>& work);

/// What `work` says, in a child that can be given up: for what may wait in the kernel for ever,
/// where SIGKILL may not end it either. Nothing of the caller's is in it, no session, stream,
/// descriptor, lock or working directory, so that one that is left behind holds up nothing.
/// Absent once `keep_waiting`, which is asked several times a second, says no. Throws Error(failed)
/// where the child can't be made, and what `work` throws as Failure::error() does.
std::optional<std::string> ask_child(const std::function<std::string()>& work,
                                     const std::function<bool()>& keep_waiting);

/// For a child that outlives what its parent was called for: it belongs to no terminal, no
/// signal of one reaches it, and its standard streams keep no pipe open that is being read.
void leave_session_and_streams();

/// In such a child: closes every descriptor but the standard streams and `kept`. A lock of
/// flock(2) that the parent gives back would be held on by a child's copy of its descriptor.
void keep_open_only(std::vector<int> kept) noexcept;

}  // namespace wafers
