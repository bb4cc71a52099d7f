#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers {

/// One line of a mountinfo, decoded.
struct MountEntry {
  std::filesystem::path target;  ///< as seen by the process whose table it is
  std::string type;              ///< "overlay", "fuse.fuse-overlayfs"
  std::string source;
  std::uint64_t device = 0;
  std::uint64_t mount_id = 0;
};

/// The mounts that a process sees, in the order of mounting; empty where the table can't be read.
std::vector<MountEntry> mount_table_of(pid_t pid);
std::vector<MountEntry> own_mount_table();
/// Those in a copy of a /proc/<pid>/mountinfo.
std::vector<MountEntry> mount_table_in(const std::string& file);

/// Whether a mount that this process sees may have one of `texts` in its target, type or source;
/// also where that can't be told. Needs no libmount, which takes more time to load than a mount
/// takes.
bool may_name_in_own_mount_table(std::initializer_list<std::string_view> texts);

/// Whether the mount `mount_id` is of this type and source (empty: of any), by the text of a
/// /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). Needs no libmount.
bool is_mount_of(std::string_view mountinfo, std::uint64_t mount_id, std::string_view type,
                 std::string_view source);

/// What is mounted on exactly `target`: the topmost, where there are several.
std::optional<MountEntry> find_mount(const std::vector<MountEntry>& table,
                                     const std::filesystem::path& target);

/// The mounts below `directory`, itself not among them, that can be reached from there: not what
/// another mount covers. `directory` is absolute and without symlinks.
std::vector<MountEntry> mounts_below(const std::vector<MountEntry>& table,
                                     const std::filesystem::path& directory);
/// Those that this process sees.
std::vector<MountEntry> own_mounts_below(const std::filesystem::path& directory);

}  // namespace wafers
