#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/view/backend.h"
#include "core/view/base_mounts.h"

namespace wafers {

std::unique_ptr<Backend> make_backend(BackendKind kind);

/// MountedView::flush() of the wafer's view, where it is mounted.
void flush_view(const Wafer& wafer);

/// Whether a trial that was passed since the host was started is believed
/// (core/view/passed_trials.h).
enum class Trials { believed, made_anew };

/// Backend::trial(), or what is remembered of it.
Trial try_backend(const Backend& backend, const std::filesystem::path& state_dir, MountMode mode,
                  Trials trials);

/// What `auto` decides: the first of host (only where the caller has CAP_SYS_ADMIN over its mount
/// namespace), namespace, fuse whose trial works. `fallbacks` holds a line for each one that should
/// have come first and did not work: from what, to what, why. One with an obstacle is not
/// tried. Throws Error(unsupported) if none works.
struct BackendChoice {
  BackendKind kind = BackendKind::namespace_;
  Trial trial;  ///< the one that worked
  std::vector<std::string> fallbacks;
};
BackendChoice choose_backend(const std::filesystem::path& state_dir, MountMode mode, Trials trials,
                             const Obstacles& obstacles = {});

/// Removes the directory of a trial that was killed, which the caller has claimed, and takes away
/// what is still mounted in it. Throws Error(failed).
void remove_trial(const std::filesystem::path& directory);

}  // namespace wafers
