#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers {

// Facts about this host, read or tried, without any opinion. Nothing here throws for what it finds:
// a fact that can't be had is absent, a probe that fails says at which step and with which errno.

struct KernelFacts {
  std::string release;  ///< "6.1.0-35-amd64", as uname(2) gives it
  int major = 0;
  int minor = 0;
  bool overlayfs = false;  ///< registered; a module registers at the first attempt to mount
};
KernelFacts read_kernel_facts();

/// What may keep a user from making namespaces, or setuid programs from working.
struct RestrictionFacts {
  std::optional<long> max_user_namespaces;        ///< sysctl user.max_user_namespaces
  std::optional<long> unprivileged_userns_clone;  ///< sysctl kernel.*, Debian's own patch
  std::optional<long> apparmor_restrict_userns;   ///< kernel.apparmor_restrict_unprivileged_userns
  bool seccomp_filter = false;
  bool no_new_privs = false;
  bool cap_sys_admin = false;  ///< effective, and it counts for the mount namespace
};
RestrictionFacts read_restriction_facts();

enum class UserNamespaceStep {
  none,     ///< all of it worked
  unshare,  ///< unshare(CLONE_NEWUSER | CLONE_NEWNS)
  map_ids,  ///< /proc/self/{setgroups,uid_map,gid_map}
  mount,    ///< mount(2), by the capabilities held in the new namespace
};
std::string_view to_string(UserNamespaceStep step);

struct UserNamespaceProbe {
  UserNamespaceStep failed = UserNamespaceStep::none;
  int errnum = 0;
};

/// Makes a user and a mount namespace in a child, maps the caller's own ids and mounts a tmpfs
/// there. The caller must have a single thread. Throws Error(failed) where there can be no child.
UserNamespaceProbe probe_user_namespace();

struct FileSystemFacts {
  std::string type;           ///< "ext", "tmpfs", ...; hexadecimal magic where it has no known name
  int errnum = 0;             ///< why nothing can be made in it; the facts below mean nothing then
  int user_xattr_errnum = 0;  ///< of setting user.* on a directory; 0 where that works
  bool d_type = false;        ///< readdir(3) tells the types of entries
};

/// Looks at the file system that the existing directory `directory` is on, by making and removing a
/// scratch directory in it.
FileSystemFacts probe_file_system(const std::filesystem::path& directory);

struct SshFacts {
  std::vector<std::filesystem::path> files_of_root;  ///< ssh_files_of_root()
  std::string problem;  ///< why they can't be shown as the caller's own; empty where they can
};
/// Tries it in a user and mount namespace. `scratch`: an existing directory, which is left as it
/// is.
SshFacts read_ssh_facts(const std::filesystem::path& scratch);

struct FuseFacts {
  std::optional<std::filesystem::path> server;      ///< fuse-overlayfs in PATH
  std::string server_version;                       ///< "1.10"; empty where it does not say
  std::optional<std::filesystem::path> fusermount;  ///< fusermount3 in PATH
  bool fusermount_privileged = false;  ///< setuid root or with file capabilities, where that counts
  bool has_mtab = true;     ///< /etc/mtab, without which fusermount3 unmounts nothing for a user
  bool has_account = true;  ///< the caller's name is known, without which it doesn't either
  unsigned uid = 0;         ///< of the caller
  unsigned gid = 0;
  int device_errnum = 0;  ///< of opening /dev/fuse to read and write; ENODEV for another device
};
FuseFacts read_fuse_facts();

/// What a user's fusermount3 depends on, which takes no other process to find out: `fusermount` and
/// what follows it, without the device.
FuseFacts read_fusermount_facts();

/// Who unmounts the views before the host goes down.
struct ShutdownFacts {
  bool systemd = false;                       ///< it runs this host
  std::optional<std::filesystem::path> unit;  ///< our user service, where it is installed
  bool enabled = false;                       ///< for this user, or for all
};
ShutdownFacts read_shutdown_facts();

}  // namespace wafers
