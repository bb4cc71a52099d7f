// Runs a command on a host that lacks something, simulated for it and its children alone.
//
//   limited_host [--no-userns] [--deny-unshare] [--deny-mount] [--no-fuse] [--fuse]
//                [--no-mtab] [--uid N [--no-name] [--reach DIR]...] -- COMMAND [ARG...]
//
//   --no-userns     in a user namespace whose own user.max_user_namespaces is 0: ENOSPC
//   --deny-unshare  a seccomp filter refuses to make namespaces with EPERM, as Docker's does
//   --deny-mount    a seccomp filter refuses all that mounts with EPERM
//   --no-fuse       /dev/fuse is not the fuse device
//   --no-mtab       there is no /etc/mtab; needs root
//   --fuse          /dev/fuse is a node of mode 666, as udev makes it; needs root
//   --reach DIR     may be entered by that user, even below a directory that is closed to others
//   --no-name       no password file has an entry for that user
//   --uid N         as an ordinary user; needs root. Started by root, setuid programs such as
//                   fusermount3 keep working in it; started by anyone else they do not, since then
//                   it takes a one-id user namespace or no_new_privs to bring about the rest.
//
// Exit status: the command's; 125 where this program itself fails.

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace {

namespace fs = std::filesystem;
using wafers::UniqueFd;

struct Limits {
  bool no_userns = false;
  bool deny_unshare = false;
  bool deny_mount = false;
  bool no_fuse = false;
  bool fuse = false;
  bool no_mtab = false;
  bool no_name = false;
  std::optional<uid_t> uid;
  std::vector<fs::path> reach;
};

[[noreturn]] void fail(const std::string& doing) {
  const int err = errno;
  std::fprintf(stderr, "limited_host: %s: %s\n", doing.c_str(), std::strerror(err));
  std::exit(125);
}

void require(bool done, const std::string& doing) {
  if (!done) fail(doing);
}

void write_file(const std::string& file, const std::string& text) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  require(static_cast<bool>(fd), "open " + file);
  require(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
          "write " + file);
}

// --- mounts --------------------------------------------------------------------------------------

void enter_mount_namespace() {
  require(::unshare(CLONE_NEWNS) == 0, "unshare mount namespace");
  require(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make / private");
}

std::optional<fs::path> first_closed_part(const fs::path& directory) {
  fs::path part;
  for (const fs::path& name : directory) {
    part /= name;
    struct stat found {};
    if (::stat(part.c_str(), &found) == 0 && (found.st_mode & S_IXOTH) == 0) return part;
  }
  return std::nullopt;
}

/// A build in /root, or a TMPDIR of mode 700, stays where it is: compiled-in paths must be right.
/// The directory that closes it off is covered by an empty one that holds no more than the way to
/// it.
void make_reachable(const std::vector<fs::path>& directories) {
  std::vector<UniqueFd> trees;
  for (const fs::path& directory : directories) {
    trees.emplace_back(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    require(static_cast<bool>(trees.back()), "open " + directory.string());
  }
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const fs::path& directory = directories[i];
    const auto closed = first_closed_part(directory.parent_path());
    if (closed) {
      require(::mount("limited-host", closed->c_str(), "tmpfs", MS_NOSUID, "mode=755") == 0,
              "cover " + closed->string());
    }
    if (fs::exists(directory)) continue;
    fs::create_directories(directory);
    const std::string tree = "/proc/self/fd/" + std::to_string(trees[i].get());
    require(::mount(tree.c_str(), directory.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
            "show " + directory.string());
  }
}

/// fusermount3 asks the password database for the caller's name.
void give_name(uid_t uid) {
  if (::getpwuid(uid) != nullptr) return;
  require(::mount("limited-host", "/mnt", "tmpfs", MS_NOSUID, nullptr) == 0, "mount tmpfs");
  std::ifstream known("/etc/passwd");
  std::ofstream all("/mnt/passwd");
  all << known.rdbuf() << "limited:x:" << uid << ":" << uid << "::/:/bin/sh\n";
  all.close();
  require(all.good() && ::chmod("/mnt/passwd", 0644) == 0, "write a password file");
  require(::mount("/mnt/passwd", "/etc/passwd", nullptr, MS_BIND, nullptr) == 0, "cover passwd");
  require(::umount2("/mnt", MNT_DETACH) == 0, "unmount tmpfs");
}

/// An overlay of /etc with a whiteout: what is hidden is a symlink, over which nothing can be
/// mounted.
void hide_mtab() {
  require(::mount("limited-host", "/mnt", "tmpfs", MS_NOSUID, nullptr) == 0, "mount tmpfs");
  require(::mkdir("/mnt/upper", 0755) == 0 && ::mkdir("/mnt/work", 0755) == 0, "make layers");
  require(::mknod("/mnt/upper/mtab", S_IFCHR, makedev(0, 0)) == 0, "make a whiteout");
  require(::mount("limited-host", "/etc", "overlay", 0,
                  "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work") == 0,
          "cover /etc");
  require(::umount2("/mnt", MNT_DETACH) == 0, "unmount tmpfs");
}

/// A node that every user may open, on a tmpfs of our own: other file systems may be mounted nodev.
void cover_with_usable_fuse() {
  require(::mount("limited-host", "/mnt", "tmpfs", MS_NOSUID, nullptr) == 0, "mount tmpfs");
  const char* node = "/mnt/fuse";
  require(::mknod(node, S_IFCHR | 0666, makedev(10, 229)) == 0, "mknod fuse");
  require(::chmod(node, 0666) == 0, "chmod fuse");
  require(::mount(node, "/dev/fuse", nullptr, MS_BIND, nullptr) == 0, "cover /dev/fuse");
  require(::umount2("/mnt", MNT_DETACH) == 0, "unmount tmpfs");
}

void cover_fuse_with_null() {
  if (::access("/dev/fuse", F_OK) != 0) return;
  require(::mount("/dev/null", "/dev/fuse", nullptr, MS_BIND, nullptr) == 0, "cover /dev/fuse");
}

// --- namespaces ----------------------------------------------------------------------------------

/// Root maps all ids, by a parent outside, so that setuid programs still change to root; an
/// ordinary user may map its own only.
void enter_user_namespace() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  require(::unshare(CLONE_NEWUSER) == 0, "unshare user namespace");
  const auto map = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", map(uid));
  write_file("/proc/self/gid_map", map(gid));
}

void enter_user_namespace_as_root() {
  std::array<int, 2> entered{};
  std::array<int, 2> mapped{};
  require(::pipe2(entered.data(), O_CLOEXEC) == 0 && ::pipe2(mapped.data(), O_CLOEXEC) == 0,
          "pipe");
  const pid_t self = ::getpid();
  const pid_t mapper = ::fork();
  require(mapper >= 0, "fork");
  char byte = 0;
  if (mapper == 0) {
    require(::read(entered[0], &byte, 1) == 1, "wait for the namespace");
    const std::string proc = "/proc/" + std::to_string(self);
    write_file(proc + "/uid_map", "0 0 4294967295");
    write_file(proc + "/gid_map", "0 0 4294967295");
    ::_exit(::write(mapped[1], &byte, 1) == 1 ? 0 : 125);
  }
  require(::unshare(CLONE_NEWUSER) == 0, "unshare user namespace");
  require(::write(entered[1], &byte, 1) == 1, "tell the mapper");
  int status = 0;
  require(::waitpid(mapper, &status, 0) == mapper && status == 0, "map all ids");
}

// --- seccomp -------------------------------------------------------------------------------------

constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNotThere = SECCOMP_RET_ERRNO | ENOSYS;

class Filter {
 public:
  Filter() {
    static_assert(std::endian::native == std::endian::little,
                  "the low word of an argument is first");
    load(offsetof(seccomp_data, nr));
  }

  void answer(long number, std::uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1);
    add(BPF_RET | BPF_K, action, 0, 0);
  }

  /// Denies the call if its first argument has any of `flags`.
  void deny_flags(long number, std::uint32_t flags) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
    load(offsetof(seccomp_data, args));
    add(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
    add(BPF_RET | BPF_K, kDeny, 0, 0);
    load(offsetof(seccomp_data, nr));
  }

  /// Without no_new_privs where the caller may: setuid programs keep working then.
  void install() {
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) return;
    require(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "set no_new_privs");
    require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "install the filter");
  }

 private:
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset), 0, 0);
  }
  void add(unsigned operation, std::uint32_t operand, unsigned char if_true,
           unsigned char if_false) {
    code_.push_back({static_cast<unsigned short>(operation), if_true, if_false, operand});
  }

  std::vector<sock_filter> code_;
};

void install_filter(const Limits& limits) {
  if (!limits.deny_unshare && !limits.deny_mount) return;
  Filter filter;
  if (limits.deny_unshare) {
    filter.answer(SYS_unshare, kDeny);
    filter.deny_flags(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS);
    filter.answer(SYS_clone3, kNotThere);  // its flags are in memory: libc falls back to clone(2)
  }
  if (limits.deny_mount) {
    for (const long number : {SYS_mount, SYS_fsopen, SYS_fspick, SYS_fsconfig, SYS_fsmount,
                              SYS_move_mount, SYS_open_tree, SYS_mount_setattr}) {
      filter.answer(number, kDeny);
    }
  }
  filter.install();
}

// -------------------------------------------------------------------------------------------------

/// The order matters: mounts need the privilege that later steps give up, and the limit on
/// namespaces must come after the last one made here.
void apply(const Limits& limits) {
  const bool root = ::geteuid() == 0;
  if (root) enter_mount_namespace();
  if (limits.no_mtab) hide_mtab();
  if (limits.uid) {
    make_reachable(limits.reach);
    if (!limits.no_name) give_name(*limits.uid);
  }
  if (limits.fuse) cover_with_usable_fuse();
  if (root && limits.no_fuse) cover_fuse_with_null();
  if (root && limits.no_userns) enter_user_namespace_as_root();
  if (!root && (limits.no_userns || limits.no_fuse)) enter_user_namespace();
  if (!root && limits.no_fuse) {
    enter_mount_namespace();
    cover_fuse_with_null();
  }
  if (limits.no_userns) {
    // A mount namespace that belongs to the user namespace: fusermount3 must be able to mount in
    // it.
    enter_mount_namespace();
    write_file("/proc/sys/user/max_user_namespaces", "0");
  }
  install_filter(limits);
  if (limits.uid) {
    const uid_t uid = *limits.uid;
    require(::setgroups(0, nullptr) == 0, "drop groups");
    require(::setresgid(uid, uid, uid) == 0 && ::setresuid(uid, uid, uid) == 0, "change ids");
  }
}

Limits parse(int argc, char** argv, int& command) {
  Limits limits;
  for (command = 1; command < argc; ++command) {
    const std::string_view argument = argv[command];
    if (argument == "--") {
      ++command;
      break;
    }
    if (argument == "--no-userns") {
      limits.no_userns = true;
    } else if (argument == "--deny-unshare") {
      limits.deny_unshare = true;
    } else if (argument == "--deny-mount") {
      limits.deny_mount = true;
    } else if (argument == "--no-fuse") {
      limits.no_fuse = true;
    } else if (argument == "--no-mtab") {
      limits.no_mtab = true;
    } else if (argument == "--no-name") {
      limits.no_name = true;
    } else if (argument == "--fuse") {
      limits.fuse = true;
    } else if (argument == "--reach" && command + 1 < argc) {
      limits.reach.emplace_back(argv[++command]);
    } else if (argument == "--uid" && command + 1 < argc) {
      limits.uid = static_cast<uid_t>(std::strtoul(argv[++command], nullptr, 10));
    } else {
      std::fprintf(stderr, "limited_host: unknown argument %s\n", argv[command]);
      std::exit(125);
    }
  }
  return limits;
}

}  // namespace

int main(int argc, char** argv) {
  int command = 0;
  const Limits limits = parse(argc, argv, command);
  if (command >= argc) {
    std::fputs("limited_host: no command\n", stderr);
    return 125;
  }
  apply(limits);
  ::execvp(argv[command], argv + command);
  fail(std::string("exec ") + argv[command]);
}
