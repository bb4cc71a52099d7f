#include "core/state/backend_traits.h"

#include <algorithm>
#include <array>

namespace wafers {
namespace {

constexpr std::array kKernelUser{UpperDialect::kernel_user};
constexpr std::array kKernel{UpperDialect::kernel_user, UpperDialect::kernel_trusted};
constexpr std::array kFuse{UpperDialect::fuse};

constexpr std::array kBackends{
    BackendTraits{.kind = BackendKind::host,
                  .name = "host",
                  .dialects = kKernel,
                  .needs_sys_admin = true,
                  .base_mounts = BackendTraits::BaseMounts::left_out},
    BackendTraits{.kind = BackendKind::fuse, .name = "fuse", .dialects = kFuse},
    BackendTraits{.kind = BackendKind::namespace_,
                  .name = "namespace",
                  .dialects = kKernelUser,
                  .has_own_namespaces = true,
                  .base_mounts = BackendTraits::BaseMounts::refused,
                  .remembers_trial = true},
};

}  // namespace

std::span<const BackendTraits> all_backends() { return kBackends; }

const BackendTraits& traits_of(BackendKind kind) {
  return *std::ranges::find(kBackends, kind, &BackendTraits::kind);
}

}  // namespace wafers
