#pragma once

namespace wafers {

// A process whose parent ended before it goes to the nearest "subreaper" among its ancestors, else
// to process 1 of its pid namespace, which has to wait for it (prctl(2), pid_namespaces(7)). A
// container's process 1 is often the application itself and doesn't: what ends stays a zombie for
// as long as the container runs, and takes a place in its table of processes.

/// Whether a process waits for the children that this one leaves behind, as far as that can be seen
/// at once: true on the host itself, and where process 1 blocks SIGCHLD to take it by
/// sigwaitinfo(2) or signalfd(2), as inits do, or ignores it, which makes the kernel do it. Where
/// process 1 does neither and waits all the same, as a shell does, it is false. So it is without
/// /proc.
bool orphans_are_reaped();

/// Tries it, but on the host itself: whether an orphan that ends at once is gone within a second.
/// Throws Error(failed) where no process can be made.
bool try_leaving_an_orphan();

/// Makes the caller the parent of its descendants' orphans.
void adopt_orphans();

/// Waits for those children of the caller that have ended.
void reap_orphans();

}  // namespace wafers
