#include "core/view/host_checks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

constexpr const char* kInstallFuse = "sudo apt-get install fuse-overlayfs fuse3";
constexpr const char* kLiftContainerGuards =
    "start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "(lifting one alone is not enough)";

std::string shown(const std::optional<long>& value) {
  return value ? std::to_string(*value) : std::string("not there");
}

/// What is behind a failed check: the message and what to do.
struct Finding {
  std::string message;
  std::string remedy;
};

Finding userns_limit_reached(const RestrictionFacts& restrictions) {
  const std::string value = "user.max_user_namespaces = " + shown(restrictions.max_user_namespaces);
  const bool off = restrictions.max_user_namespaces == 0;
  return {off ? "user namespaces are switched off: " + value
              : "the limit of user namespaces is reached, here or in a namespace above: " + value,
          "sudo sysctl -w user.max_user_namespaces=15000"};
}

Finding unshare_denied(const RestrictionFacts& restrictions) {
  if (restrictions.unprivileged_userns_clone == 0 && !restrictions.cap_sys_admin) {
    return {"user namespaces are for root only: kernel.unprivileged_userns_clone = 0",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1"};
  }
  if (restrictions.seccomp_filter) {
    return {"a seccomp filter denies unshare(2), as Docker's default profile does",
            kLiftContainerGuards};
  }
  return {
      "unshare(2) is denied (EPERM) though no sysctl forbids it: by a chroot or a security module",
      "run outside of the chroot; or see who denied it: sudo dmesg | grep -iE 'apparmor|avc'"};
}

Finding mount_denied(const RestrictionFacts& restrictions, int errnum) {
  if (restrictions.apparmor_restrict_userns.value_or(0) != 0) {
    return {
        "user namespaces can be made, but AppArmor denies mounts in them: "
        "kernel.apparmor_restrict_unprivileged_userns = " +
            shown(restrictions.apparmor_restrict_userns),
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give wafers and its "
        "holder an AppArmor profile with 'userns,'"};
  }
  if (restrictions.seccomp_filter) {
    return {"a seccomp filter or the container's AppArmor profile denies mount(2): " +
                describe_errno(errnum),
            kLiftContainerGuards};
  }
  return {"user namespaces can be made, but mount(2) fails in them: " + describe_errno(errnum),
          "see who denied it: sudo dmesg | grep -iE 'apparmor|avc'"};
}

Finding userns_failure(const RestrictionFacts& restrictions, const UserNamespaceProbe& probe) {
  if (probe.failed == UserNamespaceStep::unshare) {
    switch (probe.errnum) {
      case ENOSPC:
        return userns_limit_reached(restrictions);
      case EPERM:
      case EACCES:
        return unshare_denied(restrictions);
      case EINVAL:
      case ENOSYS:
        return {"this kernel is built without user namespaces: " + describe_errno(probe.errnum),
                "use a kernel with CONFIG_USER_NS=y"};
      case EUSERS:
        return {"user namespaces are nested too deep here (the kernel allows 32 levels)",
                "start wafers from a namespace further out"};
      default:
        break;
    }
  }
  if (probe.failed == UserNamespaceStep::mount) return mount_denied(restrictions, probe.errnum);
  return {std::string(to_string(probe.failed)) + " fails: " + describe_errno(probe.errnum),
          "run wafers as a user whose ids exist in this namespace, outside of any sandbox"};
}

std::optional<Finding> file_system_failure(const FileSystemFacts& facts) {
  constexpr std::array<std::string_view, 8> kNeverAnUpper{"nfs",  "cifs", "smb2", "9p",
                                                          "vfat", "fuse", "ceph", "ecryptfs"};
  constexpr const char* kElsewhere =
      "set WAFERS_STATE_DIR to a directory on a local disk (ext4, XFS, Btrfs), a volume or a tmpfs";
  if (facts.errnum != 0) {
    return Finding{"nothing can be made in it: " + describe_errno(facts.errnum),
                   "make it writable, or set WAFERS_STATE_DIR to a directory that is"};
  }
  if (facts.type == "overlay") {
    return Finding{"it is on overlayfs, and the kernel refuses an upper there", kElsewhere};
  }
  if (std::ranges::find(kNeverAnUpper, facts.type) != kNeverAnUpper.end()) {
    return Finding{"it is on " + facts.type + ", which can't hold an upper", kElsewhere};
  }
  if (!facts.d_type) {
    return Finding{
        "its file system (" + facts.type + ") does not tell the types of entries (d_type)",
        "make the file system anew (XFS: mkfs.xfs -n ftype=1), or set WAFERS_STATE_DIR"};
  }
  if (facts.user_xattr_errnum != 0) {
    return Finding{
        "its file system (" + facts.type +
            ") takes no user.* extended attributes: " + describe_errno(facts.user_xattr_errnum),
        facts.type == "tmpfs" ? "use Linux 6.6 or newer, or set WAFERS_STATE_DIR" : kElsewhere};
  }
  return std::nullopt;
}

Finding device_failure(int errnum) {
  const std::string said = "/dev/fuse can't be used: " + describe_errno(errnum);
  switch (errnum) {
    case EACCES:
      return {said, "sudo chmod 666 /dev/fuse"};
    case EPERM:
      return {said, "start the container with --device /dev/fuse"};
    default:
      return {said, "sudo modprobe fuse; in a container: start it with --device /dev/fuse"};
  }
}

Check passed(std::string id, std::string message) {
  return {std::move(id), CheckStatus::ok, std::move(message), {}};
}

Check missed(std::string id, CheckStatus status, Finding finding) {
  return {std::move(id), status, std::move(finding.message), std::move(finding.remedy)};
}

std::string backend_id(BackendKind kind) { return "backend-" + std::string(to_string(kind)); }

}  // namespace

std::string_view to_string(CheckStatus status) {
  switch (status) {
    case CheckStatus::ok:
      return "ok";
    case CheckStatus::warn:
      return "warn";
    case CheckStatus::fail:
      return "fail";
  }
  return "?";
}

Check check_kernel(const KernelFacts& facts, OverlayMount overlay, CheckStatus missing) {
  const std::string linux_version = "Linux " + printable(facts.release);
  if (!facts.overlayfs && overlay == OverlayMount::tried) {
    return missed("kernel", missing,
                  {linux_version + " has no overlayfs", "sudo modprobe overlay"});
  }
  if (std::pair(facts.major, facts.minor) < std::pair(5, 11)) {
    return missed("kernel", missing,
                  {linux_version + " mounts overlays for root only",
                   "use Linux 5.11 or newer for the namespace backend, or the fuse backend"});
  }
  if (!facts.overlayfs) {
    return passed("kernel", linux_version + ", whose overlayfs shows with the first mount");
  }
  return passed("kernel", linux_version + " with overlayfs");
}

Check check_user_namespaces(const RestrictionFacts& restrictions, const UserNamespaceProbe& probe,
                            CheckStatus missing) {
  if (probe.failed == UserNamespaceStep::none) {
    return passed("user-namespaces", "user namespaces can be made and mounted in");
  }
  return missed("user-namespaces", missing, userns_failure(restrictions, probe));
}

Check check_state_directory(const std::filesystem::path& directory, const FileSystemFacts& facts,
                            CheckStatus missing) {
  const std::string subject = "state directory " + in_quotes(directory.string());
  if (const auto failure = file_system_failure(facts)) {
    return missed("state-directory", missing, {subject + ": " + failure->message, failure->remedy});
  }
  return passed("state-directory", subject + " is on " + facts.type);
}

Check check_trial(BackendKind kind, const Trial& trial, CheckStatus missing) {
  const std::string subject = "backend " + std::string(to_string(kind));
  if (trial.works) {
    return passed(backend_id(kind), subject + ": a trial mount does all that is needed");
  }
  return missed(backend_id(kind), missing,
                {subject + ": " + printable(trial.reason), printable(trial.hint)});
}

Check check_host_not_tried(CheckStatus missing) {
  const std::string message = "backend host: for callers with CAP_SYS_ADMIN only, not tried";
  if (missing != CheckStatus::fail) return passed(backend_id(BackendKind::host), message);
  return missed(backend_id(BackendKind::host), CheckStatus::warn,
                {message, "run wafers as root, or the container with --privileged"});
}

Check check_ssh(const SshFacts& facts) {
  const auto& files = facts.files_of_root;
  if (files.empty()) return passed("ssh", "ssh in a namespace can read its configuration");
  const std::string count = files.size() == 1 ? "1 file" : std::to_string(files.size()) + " files";
  const std::string what = count + " of root's, first " + in_quotes(files.front().native());
  if (facts.problem.empty()) {
    return passed("ssh", "ssh in a namespace reads copies of " + what);
  }
  return missed("ssh", CheckStatus::warn,
                {"ssh in a namespace refuses " + what +
                     ", which show as nobody's there: " + printable(facts.problem),
                 "inside, do without them: export GIT_SSH_COMMAND='ssh -F none'"});
}

Check check_fuse_server(const FuseFacts& facts, CheckStatus missing) {
  if (!facts.server) {
    return missed("fuse-overlayfs", missing, {"fuse-overlayfs is not in PATH", kInstallFuse});
  }
  const std::string version =
      facts.server_version.empty() ? "of unknown version" : printable(facts.server_version);
  return passed("fuse-overlayfs",
                "fuse-overlayfs " + version + " is " + in_quotes(facts.server->string()));
}

Check check_fusermount(const FuseFacts& facts, const RestrictionFacts& restrictions, Caller caller,
                       CheckStatus missing) {
  if (!facts.fusermount) {
    return missed("fusermount3", missing, {"fusermount3 is not in PATH", kInstallFuse});
  }
  const std::string subject = in_quotes(facts.fusermount->string());
  if (caller == Caller::root) return passed("fusermount3", "fusermount3 is " + subject);
  if (!facts.fusermount_privileged) {
    return missed(
        "fusermount3", missing,
        {subject + " gets no root privilege here: it is not setuid root, its mount is nosuid, "
                   "or this user namespace has no root",
         "sudo chmod u+s " + shell_quoted(facts.fusermount->string())});
  }
  if (restrictions.no_new_privs) {
    return missed("fusermount3", missing,
                  {"no_new_privs is set, so that " + subject + " gets no privilege",
                   "start without it (Docker: without --security-opt no-new-privileges)"});
  }
  Check unmounting = check_unmounting(facts, caller, missing);
  if (unmounting.status != CheckStatus::ok) return unmounting;
  return passed("fusermount3", "fusermount3 is " + subject + ", setuid root");
}

Check check_unmounting(const FuseFacts& facts, Caller caller, CheckStatus missing) {
  if (caller == Caller::ordinary_user && !facts.has_mtab) {
    return missed("fusermount3", missing,
                  {"there is no /etc/mtab, which fusermount3 reads when it unmounts",
                   "sudo ln -s ../proc/self/mounts /etc/mtab"});
  }
  if (caller == Caller::ordinary_user && !facts.has_account) {
    const std::string uid = std::to_string(facts.uid);
    return missed("fusermount3", missing,
                  {"uid " + uid +
                       " has no entry in /etc/passwd, which fusermount3 asks for when it "
                       "unmounts",
                   "echo 'user" + uid + ":x:" + uid + ":" + std::to_string(facts.gid) +
                       "::/:/bin/sh' | sudo tee -a /etc/passwd"});
  }
  return passed("fusermount3", "fusermount3 can unmount what it mounts");
}

Check check_base_mount(const std::filesystem::path& worktree, const BaseMount& mount) {
  const std::string shown_by = mount.tracked
                                   ? "backend fuse alone shows the files that are tracked there"
                                   : "backend namespace can show no view of the base, and "
                                     "backend host leaves it out";
  return missed("base-mount", CheckStatus::warn,
                {describe(mount) + ": " + shown_by,
                 "sudo umount " + shell_quoted((worktree / mount.path).native())});
}

Check check_shutdown(const ShutdownFacts& facts) {
  constexpr const char* kId = "shutdown";
  if (facts.enabled) {
    return {kId, CheckStatus::ok, "wafers.service unmounts all views before a shutdown", {}};
  }
  if (!facts.systemd) {
    return {kId,
            CheckStatus::ok,
            "before a shutdown, 'wafers umount --all' leaves all wafers as they are",
            {}};
  }
  return {kId, CheckStatus::warn,
          "no service unmounts the views before a shutdown: wafers may be broken after it",
          facts.unit ? "systemctl --user enable --now " + shell_quoted(facts.unit->native())
                     : "reinstall wafers: lib/systemd/user/wafers.service, which does it, is "
                       "missing; or run 'wafers umount --all' before each"};
}

Check check_orphans(bool reaped) {
  constexpr const char* kId = "orphans";
  if (reaped) return {kId, CheckStatus::ok, "ended orphans are waited for", {}};
  return {kId, CheckStatus::warn,
          "process 1 waits for no orphan: each view that is unmounted leaves a zombie",
          "start the container with an init, as 'docker run --init' or 'podman run --init' does"};
}

Check check_fuse_device(const FuseFacts& facts, CheckStatus missing) {
  if (facts.device_errnum == 0) return passed("fuse-device", "/dev/fuse can be opened");
  return missed("fuse-device", missing, device_failure(facts.device_errnum));
}

}  // namespace wafers
