#pragma once

#include <filesystem>

namespace wafers {

// A wafer's view is mounted twice in its namespace: at the mountpoint, for those inside, and once
// more for those outside, who reach it through /proc/<pid>/root of a process inside (host_path).
// The second place leads nowhere outside: a program that resolves it (realpath(3), getcwd(3)) and
// goes by what it got is told so by an error, and doesn't write beside the view. In the wafer's
// state:
//
//   host_path/        outside closed (0555); inside a small file system of its own, read-only
//   only-literally    outside a file, below which nothing can be made, by root neither
//   view              is there inside alone

/// Where the view is mounted a second time, by the directory of the wafer's state.
std::filesystem::path second_view_of(const std::filesystem::path& directory);

/// What there is outside, made if it is missing. Throws Error(failed).
void bar_second_view(const std::filesystem::path& directory);

/// For a mount namespace in which the caller has CAP_SYS_ADMIN: covers `directory`, which must be
/// no symlink, with an empty file system that only this namespace has. Throws Error(failed).
void cover_privately(const std::filesystem::path& directory);

/// The same for what is inside, with the place of the view in it. Returns where it is.
std::filesystem::path mount_second_place(const std::filesystem::path& directory);

/// Nothing can be written there from now on. Throws Error(failed).
void close_second_place(const std::filesystem::path& place);

/// Mounts what is mounted at `mountpoint` a second time. Throws Error(failed).
void mount_second_view(const std::filesystem::path& mountpoint,
                       const std::filesystem::path& directory);

/// Unmounts the view wherever it is: at both places, of which the second may be missing where an
/// earlier version has mounted it, and where it covers the checkout (linux/covered_checkout.h).
/// Throws Error(failed); EBUSY while something in any is in use, and all are there then.
void unmount_views(const std::filesystem::path& mountpoint, const std::filesystem::path& directory);

}  // namespace wafers
