#include "linux/capabilities.h"

#include <cap-ng.h>

#include <cerrno>

#include "base/error.h"
#include "linux/namespaces.h"

namespace wafers {
namespace {

void apply(capng_select_t sets, const char* doing) {
  errno = 0;
  if (capng_apply(sets) == 0) return;
  const int err = errno != 0 ? errno : EPERM;
  throw Error::system(err, doing);
}

bool has_effective(unsigned capability) {
  return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

}  // namespace

bool has_sys_admin() { return has_effective(CAP_SYS_ADMIN) && owns_mount_namespace(); }

void drop_all_capabilities() {
  // The bounding set first: shrinking it takes CAP_SETPCAP. A process without that has no way to
  // gain capabilities by execve other than those it could gain before wafers.
  const bool may_shrink_bounds = has_effective(CAP_SETPCAP);
  capng_clear(CAPNG_SELECT_ALL);
  if (may_shrink_bounds) apply(CAPNG_SELECT_BOUNDS, "cannot empty the capability bounding set");
  capng_clear(CAPNG_SELECT_ALL);
  // An empty inheritable set empties the ambient one too (capabilities(7)).
  apply(CAPNG_SELECT_CAPS, "cannot drop capabilities");
}

}  // namespace wafers
