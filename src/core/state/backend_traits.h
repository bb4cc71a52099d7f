#pragma once

#include <span>
#include <string_view>

#include "core/state/wafer.h"
#include "linux/upper.h"

namespace wafers {

/// What tells one backend from another, for code that mounts nothing itself. A new backend is
/// entered in this table, and made by make_backend() (core/view/backends.h).
struct BackendTraits {
  BackendKind kind = BackendKind::namespace_;
  std::string_view name;                   ///< in records and on the command line
  std::span<const UpperDialect> dialects;  ///< that its uppers can have
  /// The view is mounted in namespaces of the wafer's own, out of sight of other processes, and
  /// files of users who are not mapped there have no owner in it.
  bool has_own_namespaces = false;
  /// Mounts for all to see, which takes CAP_SYS_ADMIN where wafers is called.
  bool needs_sys_admin = false;
  /// What a mount below the base does to a view: nothing; the view shows what it covers, and not
  /// what is mounted there; there can be no view.
  enum class BaseMounts { shown, left_out, refused };
  BaseMounts base_mounts = BaseMounts::shown;
  /// What a trial has shown holds until the host is restarted.
  bool remembers_trial = false;
};

/// All of them; first those whose views show where wafers is called, and so in namespaces that are
/// made later as well.
std::span<const BackendTraits> all_backends();

const BackendTraits& traits_of(BackendKind kind);

}  // namespace wafers
