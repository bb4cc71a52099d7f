#include "linux/capabilities.h"

#include <cap-ng.h>
#include <sys/prctl.h>

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

void keep_only_capabilities(std::initializer_list<unsigned> capabilities) {
  const auto select = [&](capng_select_t cleared, int sets) {
    capng_clear(cleared);
    for (const unsigned capability : capabilities) {
      capng_update(CAPNG_ADD, static_cast<capng_type_t>(sets), capability);
    }
  };
  const bool may_shrink_bounds = has_effective(CAP_SETPCAP);
  select(CAPNG_SELECT_ALL, CAPNG_BOUNDING_SET);
  if (may_shrink_bounds) apply(CAPNG_SELECT_BOUNDS, "cannot shrink the capability bounding set");
  select(CAPNG_SELECT_ALL, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE);
  apply(CAPNG_SELECT_CAPS, "cannot drop capabilities");
  for (const unsigned capability : capabilities) {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
}

}  // namespace wafers
