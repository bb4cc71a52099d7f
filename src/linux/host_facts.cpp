#include "linux/host_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "linux/capabilities.h"
#include "linux/fuse_overlayfs.h"
#include "linux/namespaces.h"
#include "linux/own_copies.h"
#include "linux/second_view.h"
#include "linux/ssh_config.h"
#include "os/child.h"
#include "os/directory.h"
#include "os/files.h"
#include "os/find_program.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

std::optional<long> read_number(const char* file) {
  const std::string text(trimmed(read_small_file(file).value_or("")));
  long value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::vector<std::string> lines_of(const char* file) {
  return split(read_small_file(file).value_or(""), '\n');
}

/// The value of one line of /proc/self/status, "" where there is no such line.
std::string status_value(std::string_view key) {
  for (const std::string& line : lines_of("/proc/self/status")) {
    const std::size_t colon = line.find(':');
    if (line.substr(0, colon) == key) return std::string(trimmed(line.substr(colon + 1)));
  }
  return {};
}

bool overlayfs_is_registered() {
  const auto lines = lines_of("/proc/filesystems");
  return std::ranges::any_of(lines, [](const auto& line) { return line.ends_with("\toverlay"); });
}

// --- user namespaces -----------------------------------------------------------------------------

void mount_something() {
  if (::mount("wafers-probe", "/", "tmpfs", 0, nullptr) == 0) return;
  throw_errno("cannot mount a tmpfs");
}

// --- file systems --------------------------------------------------------------------------------

std::string file_system_name(std::uint64_t magic) {
  // Values from <linux/magic.h> and, where it has none, from statfs(2).
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 18> kNames{{
      {0x794c7630, "overlay"},
      {0x6969, "nfs"},
      {0x01021994, "tmpfs"},
      {0xef53, "ext"},
      {0x58465342, "xfs"},
      {0x9123683e, "btrfs"},
      {0x65735546, "fuse"},
      {0xf2f52010, "f2fs"},
      {0x2fc12fc1, "zfs"},
      {0xff534d42, "cifs"},
      {0xfe534d42, "smb2"},
      {0x01021997, "9p"},
      {0x858458f6, "ramfs"},
      {0x4d44, "vfat"},
      {0xf15f, "ecryptfs"},
      {0x00c36400, "ceph"},
      {0x61756673, "aufs"},
      {0xca451a4e, "bcachefs"},
  }};
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& entry) { return entry.first == magic; });
  if (found != kNames.end()) return found->second;
  std::ostringstream hex;
  hex << "unknown (0x" << std::hex << magic << ")";
  return hex.str();
}

/// Whether the one entry of `directory`, a file, comes with its type.
bool tells_types(const fs::path& directory) {
  bool told = false;
  for_each_entry(directory, [&](const DirectoryEntry& entry) {
    told = entry.type == DT_REG;
    return false;
  });
  return told;
}

// --- fuse ----------------------------------------------------------------------------------------

/// 0, or why /dev/fuse can't be used.
int try_fuse_device() {
  const UniqueFd device = open_file("/dev/fuse", O_RDWR);
  if (!device) return errno;
  struct stat found {};
  const dev_t fuse = makedev(10, 229);  // Documentation/admin-guide/devices.txt
  return ::fstat(device.get(), &found) == 0 && found.st_rdev == fuse ? 0 : ENODEV;
}

bool runs_privileged(const fs::path& program) {
  struct stat found {};
  struct statfs mounted {};
  if (::stat(program.c_str(), &found) != 0 || ::statfs(program.c_str(), &mounted) != 0)
    return false;
  if ((static_cast<unsigned long>(mounted.f_flags) & ST_NOSUID) != 0) return false;
  if ((found.st_mode & S_ISUID) != 0 && found.st_uid == 0) return true;
  return ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
}

}  // namespace

std::string_view to_string(UserNamespaceStep step) {
  switch (step) {
    case UserNamespaceStep::none:
      return "nothing";
    case UserNamespaceStep::unshare:
      return "unshare(CLONE_NEWUSER | CLONE_NEWNS)";
    case UserNamespaceStep::map_ids:
      return "mapping the caller's ids";
    case UserNamespaceStep::mount:
      return "mount inside the namespace";
  }
  return "?";
}

KernelFacts read_kernel_facts() {
  KernelFacts facts;
  utsname name{};
  if (::uname(&name) == 0) facts.release = name.release;
  const char* end = facts.release.data() + facts.release.size();
  const auto major = std::from_chars(facts.release.data(), end, facts.major);
  if (major.ec == std::errc() && major.ptr != end) {
    std::from_chars(major.ptr + 1, end, facts.minor);
  }
  facts.overlayfs = overlayfs_is_registered();
  return facts;
}

RestrictionFacts read_restriction_facts() {
  RestrictionFacts facts;
  facts.max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces");
  facts.unprivileged_userns_clone = read_number("/proc/sys/kernel/unprivileged_userns_clone");
  facts.apparmor_restrict_userns =
      read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  facts.seccomp_filter = status_value("Seccomp") == "2";
  facts.no_new_privs = status_value("NoNewPrivs") == "1";
  facts.cap_sys_admin = has_sys_admin();
  return facts;
}

UserNamespaceProbe probe_user_namespace() {
  using Step = UserNamespaceStep;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const std::array<std::pair<Step, std::function<void()>>, 3> steps{{
      {Step::unshare, unshare_user_and_mount},
      {Step::map_ids, [=] { map_own_ids(uid, gid); }},
      {Step::mount, mount_something},
  }};
  // One child more for each step: the first that fails tells which step it was.
  for (std::size_t last = 0; last < steps.size(); ++last) {
    const auto failure = run_in_child([&] {
      for (std::size_t i = 0; i <= last; ++i) steps.at(i).second();
    });
    // No errno: a seccomp filter may also kill.
    if (failure) return {steps.at(last).first, failure->errnum != 0 ? failure->errnum : EPERM};
  }
  return {};
}

FileSystemFacts probe_file_system(const fs::path& directory) {
  FileSystemFacts facts;
  struct statfs mounted {};
  if (::statfs(directory.c_str(), &mounted) != 0) {
    facts.errnum = errno;
    return facts;
  }
  // f_type is signed on some architectures: no sign extension of a 32-bit magic.
  facts.type = file_system_name(static_cast<std::uint32_t>(mounted.f_type));
  std::string scratch = (directory / "probe.XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) {
    facts.errnum = errno;
    return facts;
  }
  const ScopeGuard cleanup([&] {
    std::error_code ignored;
    fs::remove_all(scratch, ignored);
  });
  if (::setxattr(scratch.c_str(), "user.wafers.probe", "y", 1, 0) != 0) {
    facts.user_xattr_errnum = errno;
  }
  const UniqueFd file = open_file(scratch + "/file", O_CREAT | O_WRONLY, 0600);
  if (!file) facts.errnum = errno;
  facts.d_type = tells_types(scratch);
  return facts;
}

SshFacts read_ssh_facts(const fs::path& scratch) {
  SshFacts facts;
  facts.files_of_root = ssh_files_of_root(ssh_config_roots());
  const auto failure = run_in_own_namespaces([&, uid = ::geteuid()] {
    cover_privately(scratch);
    show_as_own(facts.files_of_root, scratch);
    for (const fs::path& file : facts.files_of_root) {
      struct stat shown {};
      const bool own = ::stat(file.c_str(), &shown) == 0 && shown.st_uid == uid;
      if (!own) throw Error(ErrorKind::failed, in_quotes(file.native()) + " can't be copied");
    }
  });
  if (failure) facts.problem = failure->error().message();
  return facts;
}

FuseFacts read_fusermount_facts() {
  FuseFacts facts;
  facts.fusermount = find_program("fusermount3");
  if (facts.fusermount) facts.fusermount_privileged = runs_privileged(*facts.fusermount);
  facts.has_mtab = ::access("/etc/mtab", R_OK) == 0;
  // fusermount.c, get_user_name(): of the real uid.
  facts.uid = ::getuid();
  facts.gid = ::getgid();
  facts.has_account = ::getpwuid(facts.uid) != nullptr;
  return facts;
}

FuseFacts read_fuse_facts() {
  FuseFacts facts = read_fusermount_facts();
  facts.server = find_program("fuse-overlayfs");
  if (facts.server) facts.server_version = fuse_overlayfs_version().value_or("");
  facts.device_errnum = try_fuse_device();
  return facts;
}

ShutdownFacts read_shutdown_facts() {
  constexpr const char* kLink = "systemd/user/default.target.wants/wafers.service";
  std::error_code error;
  const auto is_there = [&](const fs::path& path) { return fs::exists(path, error); };
  ShutdownFacts facts;
  facts.systemd = is_there("/run/systemd/system");  // sd_booted(3)
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& unit :
       {here / "../lib/systemd/user/wafers.service", here / "../../lib/systemd/user/wafers.service",
        fs::path(WAFERS_UNIT_PATH)}) {
    if (!facts.unit && is_there(unit)) facts.unit = fs::weakly_canonical(unit, error);
  }
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  std::vector<fs::path> roots{"/etc"};
  if (config != nullptr && *config != '\0') {
    roots.emplace_back(config);
  } else if (home != nullptr) {
    roots.push_back(fs::path(home) / ".config");
  }
  facts.enabled =
      std::ranges::any_of(roots, [&](const fs::path& root) { return is_there(root / kLink); });
  return facts;
}

}  // namespace wafers
