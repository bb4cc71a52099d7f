#pragma once

#include <initializer_list>

namespace wafers {

/// Whether this process may mount in its own mount namespace: CAP_SYS_ADMIN is effective, and in
/// the user namespace that owns the mount namespace.
bool has_sys_admin();

/// Gives up every capability for good: effective, permitted, inheritable and ambient, and the
/// bounding set where that is permitted, so that not even uid 0 gets any back by execve. Throws
/// Error(failed).
void drop_all_capabilities();

/// Gives up every capability but these, which programs that are executed from now on have as well,
/// whatever their uid. Where the kernel refuses to hand them on (SECBIT_NO_CAP_AMBIENT_RAISE), they
/// are this program's alone. Throws Error(failed).
void keep_only_capabilities(std::initializer_list<unsigned> capabilities);

}  // namespace wafers
