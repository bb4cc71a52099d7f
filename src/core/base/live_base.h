#pragma once

#include <optional>
#include <string>

#include "core/state/store.h"
#include "core/state/wafer.h"
#include "core/view/mount.h"

namespace wafers {

// A live base that moves: its checkout is at another commit than the one with which the wafer's
// layers show the base commit. What is said here needs no libgit2; what makes layers does
// (core/base/heal.h).

/// Where HEAD of the checkout is, if the wafer's base is live and has moved. One look at HEAD.
std::optional<std::string> moved_head(const Wafer& wafer);

/// ensure_mounted() of a view that shows the base commit. Where the base has moved and nobody is
/// inside, the view is mounted anew over what `prepare` makes of its layers; `prepare` is called
/// for every view that is to be mounted. Where somebody is inside, it is told that the view is a
/// mix, and it stays as it is.
MountedWafer ensure_healed(const Store& store, const std::string& name,
                           const PrepareLayers& prepare, Unclean unclean = Unclean::refuse);

}  // namespace wafers
