#include "linux/process_scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "linux/namespaces.h"
#include "os/directory.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

/// The device alone isn't enough: where base and upper are on different file systems, overlayfs may
/// give files of the base a device number of their own (overlayfs.rst, "Inode properties").
bool is_on(const ViewIdentity& identity, const ViewIdentity& view) {
  return identity.mount_id == view.mount_id || identity.device == view.device;
}

bool lies_on(const std::string& path, const ViewIdentity& view) {
  const auto identity = view_identity(path);
  return identity && is_on(*identity, view);
}

std::string proc_directory(pid_t pid) { return "/proc/" + std::to_string(pid); }

/// Calls `visit` with each open descriptor's path in /proc until it returns true.
bool any_descriptor(pid_t pid, const std::function<bool(const std::string&)>& visit) {
  const std::string directory = proc_directory(pid) + "/fd";
  bool found = false;
  for_each_entry(directory, [&](const DirectoryEntry& entry) {
    found = visit((directory + "/").append(entry.name));
    return !found;
  });
  return found;
}

/// A line of /proc/<pid>/maps, as far as we need it.
struct Mapping {
  std::string_view permissions;
  std::uint64_t device = 0;
  std::string_view path;  ///< as the process sees it; a newline in it is written as \012
};

/// "8:1f", in hexadecimal.
std::uint64_t parse_device(std::string_view text) {
  unsigned major_number = 0;
  unsigned minor_number = 0;
  const char* const end = text.data() + text.size();
  const char* const colon = std::from_chars(text.data(), end, major_number, 16).ptr;
  if (colon != end) std::from_chars(colon + 1, end, minor_number, 16);
  return ::makedev(major_number, minor_number);
}

/// "start-end rwxs offset major:minor inode      path" (proc(5)).
std::optional<Mapping> parse_mapping(std::string_view line) {
  std::array<std::string_view, 5> fields;
  for (std::string_view& field : fields) {
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    field = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return Mapping{fields[1], parse_device(fields[3]), line};
}

std::string with_newlines(std::string_view path) {
  constexpr std::string_view kEscaped = "\\012";
  std::string text(path);
  for (std::size_t at = text.find(kEscaped); at != std::string::npos;
       at = text.find(kEscaped, at)) {
    text.replace(at, kEscaped.size(), "\n");
  }
  return text;
}

/// Calls `visit` with each mapping until it returns true.
bool any_mapping(pid_t pid, const std::function<bool(const Mapping&)>& visit) {
  const auto maps = read_small_file(proc_directory(pid) + "/maps");
  if (!maps) return false;
  for (const std::string& line : split(*maps, '\n')) {
    const auto mapping = parse_mapping(line);
    if (mapping && visit(*mapping)) return true;
  }
  return false;
}

bool writable(const std::string& descriptor) {
  // The mode of the link in /proc/<pid>/fd is that of the open file (proc(5)).
  struct stat status {};
  return ::lstat(descriptor.c_str(), &status) == 0 && (status.st_mode & S_IWUSR) != 0;
}

}  // namespace

std::vector<pid_t> processes_in_mount_namespace(std::uint64_t mnt_ns) {
  std::vector<pid_t> found = all_processes();
  std::erase_if(found,
                [&](pid_t pid) { return namespace_inode(pid, NamespaceType::mount) != mnt_ns; });
  return found;
}

bool uses_view(pid_t pid, const ViewIdentity& view, const std::filesystem::path& mountpoint) {
  const std::string directory = proc_directory(pid);
  // No program to look at: a kernel thread, a zombie, or a process that isn't ours to look at.
  const auto program = view_identity(directory + "/exe");
  if (!program) return false;
  if (is_on(*program, view) || lies_on(directory + "/cwd", view) ||
      lies_on(directory + "/root", view)) {
    return true;
  }
  // Older kernels (6.1) give a mapped file of an overlay the device of the upper or the base, but
  // the path in the view, as its own mount namespace has it.
  const std::string below = mountpoint.string() + "/";
  return any_descriptor(pid, [&](const std::string& path) { return lies_on(path, view); }) ||
         any_mapping(pid, [&](const Mapping& mapping) {
           return mapping.device == view.device || with_newlines(mapping.path).starts_with(below);
         });
}

std::vector<std::filesystem::path> files_being_written(const ViewIdentity& view) {
  std::vector<std::filesystem::path> files;
  for (const pid_t pid : all_processes()) {
    any_descriptor(pid, [&](const std::string& path) {
      if (writable(path) && lies_on(path, view)) files.emplace_back(path);
      return false;
    });
    any_mapping(pid, [&](const Mapping& mapping) {
      if (mapping.device == view.device &&
          (mapping.permissions == "rw-s" || mapping.permissions == "rwxs")) {
        files.emplace_back(proc_directory(pid) + "/root" + with_newlines(mapping.path));
      }
      return false;
    });
  }
  return files;
}

}  // namespace wafers
