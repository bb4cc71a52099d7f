#pragma once

#include <filesystem>

#include "linux/overlay.h"

namespace wafers {

/// Makes what a trial needs below `scratch`, an empty directory: layers with something in them.
/// Throws Error(failed).
void make_trial_layers(const std::filesystem::path& scratch);

/// The overlay of these layers.
OverlaySpec trial_overlay(const std::filesystem::path& scratch, OverlayXattrs xattrs);

/// In a mount namespace where mounting is allowed, and whose end unmounts: mounts the trial
/// overlay, works in the view, looks at what that leaves in the upper, and checks that the upper
/// can't be mounted twice. Throws Error(failed) for the first thing that isn't as it must be.
void try_overlay(const OverlaySpec& spec);

/// The work in the view, for every kind of mount: create, write to a file of the base, delete,
/// rename and replace a directory; each must show in the view. Throws Error(failed).
void try_view(const std::filesystem::path& view);

/// Whether the upper of a trial has the whiteouts that try_view() must have caused, as character
/// devices or `.wh.` files. Throws Error(failed).
void check_whiteouts(const std::filesystem::path& upper);

}  // namespace wafers
