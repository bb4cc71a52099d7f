#include "core/view/host_checks.h"

#include <cerrno>
#include <string>

#include "support/catch.h"

using namespace wafers;
using Catch::Matchers::Contains;

namespace {

constexpr CheckStatus kMissing = CheckStatus::fail;

RestrictionFacts unrestricted() {
  RestrictionFacts facts;
  facts.max_user_namespaces = 63000;
  return facts;
}

UserNamespaceProbe failure(UserNamespaceStep step, int errnum) { return {step, errnum}; }

FileSystemFacts good_file_system(const std::string& type) {
  FileSystemFacts facts;
  facts.type = type;
  facts.d_type = true;
  return facts;
}

FuseFacts good_fuse() {
  FuseFacts facts;
  facts.server = "/usr/bin/fuse-overlayfs";
  facts.server_version = "1.10";
  facts.fusermount = "/usr/bin/fusermount3";
  facts.fusermount_privileged = true;
  return facts;
}

void expect(const Check& check, CheckStatus status, const std::string& message,
            const std::string& remedy) {
  CHECK(check.status == status);
  CHECK_THAT(check.message, Contains(message));
  if (remedy.empty()) {
    CHECK(check.remedy.empty());
  } else {
    CHECK_THAT(check.remedy, Contains(remedy));
  }
}

}  // namespace

TEST_CASE("kernel: version and overlayfs") {
  const auto check = [](const KernelFacts& facts, CheckStatus missing = kMissing) {
    return check_kernel(facts, OverlayMount::tried, missing);
  };
  expect(check({"6.1.0-35-amd64", 6, 1, true}), CheckStatus::ok,
         "Linux 6.1.0-35-amd64 with overlayfs", "");
  CHECK(check({"5.11.0", 5, 11, true}).status == CheckStatus::ok);
  expect(check({"5.10.0-30", 5, 10, true}, CheckStatus::warn), CheckStatus::warn, "for root only",
         "Linux 5.11");
  expect(check({"4.19.0", 4, 19, true}), CheckStatus::fail, "for root only", "Linux 5.11");
  expect(check({"6.1.0", 6, 1, false}), CheckStatus::fail, "no overlayfs", "modprobe overlay");
}

TEST_CASE("kernel: a module that nobody could ask for yet is not missing") {
  const auto check = [](const KernelFacts& facts) {
    return check_kernel(facts, OverlayMount::not_tried, kMissing);
  };
  expect(check({"6.1.0", 6, 1, false}), CheckStatus::ok, "shows with the first mount", "");
  expect(check({"6.1.0", 6, 1, true}), CheckStatus::ok, "with overlayfs", "");
  expect(check({"5.10.0", 5, 10, false}), CheckStatus::fail, "for root only", "Linux 5.11");
}

TEST_CASE("user namespaces: what works is ok whatever the sysctls say") {
  RestrictionFacts facts = unrestricted();
  facts.apparmor_restrict_userns = 1;
  facts.seccomp_filter = true;
  expect(check_user_namespaces(facts, {}, kMissing), CheckStatus::ok, "can be made", "");
}

TEST_CASE("user namespaces: each reason has its own words and remedy") {
  using Step = UserNamespaceStep;
  RestrictionFacts facts = unrestricted();
  const auto check = [&](Step step, int errnum) {
    return check_user_namespaces(facts, failure(step, errnum), kMissing);
  };
  SECTION("switched off") {
    facts.max_user_namespaces = 0;
    expect(check(Step::unshare, ENOSPC), kMissing, "switched off: user.max_user_namespaces = 0",
           "sysctl -w user.max_user_namespaces=");
  }
  SECTION("limit reached") {
    expect(check(Step::unshare, ENOSPC), kMissing, "limit of user namespaces is reached",
           "sysctl -w user.max_user_namespaces=");
  }
  SECTION("Debian's sysctl") {
    facts.unprivileged_userns_clone = 0;
    facts.seccomp_filter = true;
    expect(check(Step::unshare, EPERM), kMissing, "kernel.unprivileged_userns_clone = 0",
           "sysctl -w kernel.unprivileged_userns_clone=1");
  }
  SECTION("Debian's sysctl does not stop root") {
    facts.unprivileged_userns_clone = 0;
    facts.cap_sys_admin = true;
    facts.seccomp_filter = true;
    expect(check(Step::unshare, EPERM), kMissing, "seccomp", "seccomp=unconfined");
  }
  SECTION("seccomp on unshare") {
    facts.seccomp_filter = true;
    expect(check(Step::unshare, EPERM), kMissing, "seccomp filter denies unshare(2)",
           "seccomp=unconfined");
  }
  SECTION("something else on unshare") {
    expect(check(Step::unshare, EPERM), kMissing, "chroot or a security module", "dmesg");
  }
  SECTION("kernel without them") {
    expect(check(Step::unshare, EINVAL), kMissing, "without user namespaces", "CONFIG_USER_NS");
  }
  SECTION("nested too deep") {
    expect(check(Step::unshare, EUSERS), kMissing, "nested too deep", "further out");
  }
  SECTION("Ubuntu's AppArmor lets unshare succeed and denies the mount") {
    facts.apparmor_restrict_userns = 1;
    expect(check(Step::mount, EACCES), kMissing, "AppArmor denies mounts",
           "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
  }
  SECTION("seccomp on mount") {
    facts.apparmor_restrict_userns = 0;
    facts.seccomp_filter = true;
    expect(check(Step::mount, EPERM), kMissing, "denies mount(2)", "apparmor=unconfined");
  }
  SECTION("something else on mount") {
    expect(check(Step::mount, EPERM), kMissing, "mount(2) fails in them", "dmesg");
  }
  SECTION("ids") {
    expect(check(Step::map_ids, EPERM), kMissing, "mapping the caller's ids fails", "ids exist");
  }
}

TEST_CASE("state directory: file systems that can't hold an upper") {
  const auto check = [](const FileSystemFacts& facts) {
    return check_state_directory("/state dir", facts, kMissing);
  };
  expect(check(good_file_system("ext")), CheckStatus::ok, "'/state dir' is on ext", "");
  expect(check(good_file_system("overlay")), kMissing, "overlayfs", "WAFERS_STATE_DIR");
  expect(check(good_file_system("nfs")), kMissing, "is on nfs", "WAFERS_STATE_DIR");
  FileSystemFacts facts = good_file_system("tmpfs");
  CHECK(check(facts).status == CheckStatus::ok);
  facts.user_xattr_errnum = EOPNOTSUPP;
  expect(check(facts), kMissing, "no user.* extended attributes", "Linux 6.6");
  facts = good_file_system("xfs");
  facts.d_type = false;
  expect(check(facts), kMissing, "d_type", "ftype=1");
  facts = good_file_system("ext");
  facts.errnum = EROFS;
  expect(check(facts), kMissing, "Read-only file system (EROFS)", "writable");
}

TEST_CASE("trial: its reason and hint are passed on, fit for a terminal") {
  Trial trial;
  trial.works = true;
  expect(check_trial(BackendKind::host, trial, kMissing), CheckStatus::ok, "backend host", "");
  CHECK(check_trial(BackendKind::host, trial, kMissing).id == "backend-host");
  trial = {};
  trial.reason = "mount: \x1b[31mno";
  trial.hint = "do this";
  const Check check = check_trial(BackendKind::namespace_, trial, CheckStatus::warn);
  expect(check, CheckStatus::warn, "backend namespace: mount: \\033[31mno", "do this");
  CHECK(check.id == "backend-namespace");
}

TEST_CASE("host backend: not trying it is worth a word only where nothing else works") {
  expect(check_host_not_tried(CheckStatus::warn), CheckStatus::ok, "CAP_SYS_ADMIN", "");
  expect(check_host_not_tried(CheckStatus::fail), CheckStatus::warn, "CAP_SYS_ADMIN", "as root");
}

TEST_CASE("a mount below the base: who can show it, and how to be rid of it") {
  const BaseMount mount{"node modules", "tmpfs", false};
  expect(check_base_mount("/base", mount), CheckStatus::warn,
         "'node modules' of the base is a mount of its own (tmpfs): backend namespace can show no",
         "sudo umount '/base/node modules'");
  expect(check_base_mount("/base", {"src", "ext4", true}), CheckStatus::warn,
         "backend fuse alone shows", "sudo umount /base/src");
}

TEST_CASE("fuse: programs and device") {
  FuseFacts facts = good_fuse();
  RestrictionFacts restrictions = unrestricted();
  const auto fusermount = [&](Caller caller) {
    return check_fusermount(facts, restrictions, caller, kMissing);
  };
  SECTION("all there") {
    expect(check_fuse_server(facts, kMissing), CheckStatus::ok, "fuse-overlayfs 1.10", "");
    CHECK(fusermount(Caller::ordinary_user).status == CheckStatus::ok);
    CHECK(check_fuse_device(facts, kMissing).status == CheckStatus::ok);
  }
  SECTION("programs missing") {
    facts = {};
    expect(check_fuse_server(facts, kMissing), kMissing, "not in PATH", "apt-get install");
    expect(fusermount(Caller::root), kMissing, "not in PATH", "apt-get install");
  }
  SECTION("fusermount3 without its table matters to ordinary users") {
    facts.has_mtab = false;
    expect(fusermount(Caller::ordinary_user), kMissing, "no /etc/mtab", "ln -s");
    CHECK(fusermount(Caller::root).status == CheckStatus::ok);
  }
  SECTION("fusermount3 without a name for the caller matters to ordinary users") {
    facts.has_account = false;
    facts.uid = 1234;
    facts.gid = 99;
    expect(fusermount(Caller::ordinary_user), kMissing, "uid 1234 has no entry in /etc/passwd",
           "echo 'user1234:x:1234:99::/:/bin/sh' | sudo tee -a /etc/passwd");
    CHECK(fusermount(Caller::root).status == CheckStatus::ok);
  }
  SECTION("fusermount3 without its bit matters to ordinary users") {
    facts.fusermount_privileged = false;
    expect(fusermount(Caller::ordinary_user), kMissing, "not setuid root",
           "chmod u+s /usr/bin/fusermount3");
    CHECK(fusermount(Caller::root).status == CheckStatus::ok);
  }
  SECTION("no_new_privs") {
    restrictions.no_new_privs = true;
    expect(fusermount(Caller::ordinary_user), kMissing, "no_new_privs", "no-new-privileges");
    CHECK(fusermount(Caller::root).status == CheckStatus::ok);
  }
  SECTION("device") {
    facts.device_errnum = EACCES;
    expect(check_fuse_device(facts, kMissing), kMissing, "(EACCES)", "chmod 666 /dev/fuse");
    facts.device_errnum = EPERM;
    expect(check_fuse_device(facts, kMissing), kMissing, "(EPERM)", "--device /dev/fuse");
    facts.device_errnum = ENOENT;
    expect(check_fuse_device(facts, kMissing), kMissing, "(ENOENT)", "modprobe fuse");
  }
}

TEST_CASE("ssh: files of root's that a namespace shows as nobody's") {
  SshFacts facts;
  expect(check_ssh(facts), CheckStatus::ok, "can read its configuration", "");
  facts.files_of_root = {"/etc/ssh/ssh_config.d/50-a.conf"};
  expect(check_ssh(facts), CheckStatus::ok,
         "copies of 1 file of root's, first '/etc/ssh/ssh_config.d/50-a.conf'", "");
  facts.files_of_root.emplace_back("/b");
  facts.problem = "cannot show an own copy at '/b': Operation not permitted (EPERM)";
  expect(check_ssh(facts), CheckStatus::warn, "refuses 2 files of root's", "ssh -F none");
}

TEST_CASE("whether somebody waits for orphans") {
  expect(check_orphans(true), CheckStatus::ok, "are waited for", "");
  expect(check_orphans(false), CheckStatus::warn, "zombie", "docker run --init");
}

TEST_CASE("who unmounts the views before a shutdown") {
  ShutdownFacts facts;
  expect(check_shutdown(facts), CheckStatus::ok, "'wafers umount --all'", "");
  facts.systemd = true;
  expect(check_shutdown(facts), CheckStatus::warn, "broken", "wafers umount --all");
  facts.unit = "/opt/a b/lib/systemd/user/wafers.service";
  expect(check_shutdown(facts), CheckStatus::warn, "broken",
         "systemctl --user enable --now '/opt/a b/lib/systemd/user/wafers.service'");
  facts.enabled = true;
  expect(check_shutdown(facts), CheckStatus::ok, "wafers.service unmounts all views", "");
}
