#include "core/view/backends.h"

#include "base/error.h"
#include "core/view/backend_parts.h"
#include "core/view/passed_trials.h"
#include "linux/capabilities.h"
#include "linux/fuse_overlayfs.h"
#include "linux/mount_table.h"
#include "linux/upper.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

/// In the order of preference. Who may mount for everybody to see, does; everyone else is better
/// off with the kernel's overlay than with a server in between.
std::vector<BackendKind> candidates() {
  std::vector<BackendKind> kinds{BackendKind::namespace_, BackendKind::fuse};
  if (has_sys_admin()) kinds.insert(kinds.begin(), BackendKind::host);
  return kinds;
}

struct Attempt {
  BackendKind kind = BackendKind::namespace_;
  Trial trial;
};

std::vector<std::string> fallback_lines(const std::vector<Attempt>& failed, BackendKind taken) {
  std::vector<std::string> lines;
  lines.reserve(failed.size());
  for (const Attempt& attempt : failed) {
    lines.push_back("falling back from backend " + std::string(to_string(attempt.kind)) + " to " +
                    std::string(to_string(taken)) + ": " + attempt.trial.reason);
  }
  return lines;
}

Error none_works(const std::vector<Attempt>& failed) {
  std::string message = "no backend works on this host:";
  for (const Attempt& attempt : failed) {
    message += "\n  " + std::string(to_string(attempt.kind)) + ": " + attempt.trial.reason;
  }
  return Error(ErrorKind::unsupported, message,
               failed.front().trial.hint + "\n'wafers doctor' tells more");
}

}  // namespace

std::unique_ptr<Backend> make_backend(BackendKind kind) {
  switch (kind) {
    case BackendKind::namespace_:
      return make_namespace_backend();
    case BackendKind::host:
      return make_host_backend();
    case BackendKind::fuse:
      return make_fuse_backend();
  }
  throw Error(ErrorKind::failed, "there is no such backend");
}

Trial try_backend(const Backend& backend, const std::filesystem::path& state_dir, MountMode mode,
                  Trials trials) {
  if (trials == Trials::believed && was_passed(state_dir, backend.kind(), mode)) {
    return {true, UpperDialect::kernel_user, {}, {}, /*remembered=*/true};
  }
  return backend.trial(state_dir, mode);
}

BackendChoice choose_backend(const std::filesystem::path& state_dir, MountMode mode, Trials trials,
                             const Obstacles& obstacles) {
  std::vector<Attempt> failed;
  for (const BackendKind kind : candidates()) {
    if (const auto found = obstacles.find(kind); found != obstacles.end()) {
      failed.push_back({kind, trial_failed(found->second, {})});
      continue;
    }
    Trial trial = try_backend(*make_backend(kind), state_dir, mode, trials);
    if (trial.works) return {kind, std::move(trial), fallback_lines(failed, kind)};
    failed.push_back({kind, std::move(trial)});
  }
  throw none_works(failed);
}

void remove_trial(const std::filesystem::path& directory) {
  // A kernel overlay has gone with the namespace that it was mounted in; a server lives on.
  const FuseSpec spec{.lowers = {}, .directory = directory, .mountpoint = directory / "view"};
  if (find_mount(own_mount_table(), spec.mountpoint)) stop_fuse_overlayfs(spec);
  remove_tree(directory);
}

void flush_view(const Wafer& wafer) {
  if (const auto view = make_backend(wafer.backend)->find(wafer)) view->flush();
}

}  // namespace wafers
