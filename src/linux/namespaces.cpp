#include "linux/namespaces.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "os/child.h"
#include "os/files.h"

namespace wafers {
namespace {

std::string namespace_path(const std::string& process, NamespaceType type) {
  return "/proc/" + process + (type == NamespaceType::user ? "/ns/user" : "/ns/mnt");
}

std::optional<std::uint64_t> inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_ino;
}

std::optional<std::uint64_t> inode_of(const UniqueFd& fd) {
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return std::nullopt;
  return status.st_ino;
}

void unshare_or_throw(int flags, const char* doing) {
  if (::unshare(flags) == 0) return;
  const int err = errno;
  throw Error::system(err, doing);
}

std::string map_line(unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1\n"; }

}  // namespace

void unshare_user_and_mount() {
  unshare_or_throw(CLONE_NEWUSER | CLONE_NEWNS, "cannot make a user and a mount namespace");
}

void unshare_mount() { unshare_or_throw(CLONE_NEWNS, "cannot make a mount namespace"); }

void map_own_uid(uid_t uid) { write_existing_file("/proc/self/uid_map", map_line(uid)); }

void map_own_gid(gid_t gid) {
  write_existing_file("/proc/self/setgroups", "deny");
  write_existing_file("/proc/self/gid_map", map_line(gid));
}

void map_own_ids(uid_t uid, gid_t gid) {
  map_own_uid(uid);
  map_own_gid(gid);
}

void make_mounts_slave() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0) return;
  throw_errno("cannot make the mounts of the new namespace slaves");
}

std::optional<Failure> run_in_own_namespaces(const std::function<void()>& work) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  return run_in_child([&] {
    unshare_user_and_mount();
    map_own_ids(uid, gid);
    make_mounts_slave();
    work();
  });
}

void enter_user_and_mount_of(int pidfd) {
  if (::setns(pidfd, CLONE_NEWUSER | CLONE_NEWNS) == 0) return;
  throw_errno("cannot enter the user and mount namespaces");
}

std::optional<std::uint64_t> namespace_inode(pid_t pid, NamespaceType type) {
  return inode_of(namespace_path(std::to_string(pid), type));
}

std::uint64_t own_namespace_inode(NamespaceType type) {
  if (const auto inode = inode_of(namespace_path("self", type))) return *inode;
  throw_errno("cannot look at our own namespaces in /proc");
}

std::vector<std::uint64_t> user_namespaces_of(pid_t pid) {
  std::vector<std::uint64_t> inodes;
  UniqueFd fd = open_file(namespace_path(std::to_string(pid), NamespaceType::user), O_RDONLY);
  while (const auto inode = inode_of(fd)) {
    inodes.push_back(*inode);
    fd.reset(::ioctl(fd.get(), NS_GET_PARENT));  // EPERM at our own namespace: the top for us
  }
  return inodes;
}

std::optional<std::uint64_t> parent_of_user_namespace(pid_t pid) {
  const UniqueFd user_ns =
      open_file(namespace_path(std::to_string(pid), NamespaceType::user), O_RDONLY);
  return inode_of(UniqueFd(user_ns ? ::ioctl(user_ns.get(), NS_GET_PARENT) : -1));
}

std::optional<std::uint64_t> owner_of_mount_namespace(pid_t pid) {
  const UniqueFd mount_ns =
      open_file(namespace_path(std::to_string(pid), NamespaceType::mount), O_RDONLY);
  return inode_of(UniqueFd(mount_ns ? ::ioctl(mount_ns.get(), NS_GET_USERNS) : -1));
}

bool owns_mount_namespace() {
  const UniqueFd mount_ns = open_file(namespace_path("self", NamespaceType::mount), O_RDONLY);
  const UniqueFd owner(mount_ns ? ::ioctl(mount_ns.get(), NS_GET_USERNS) : -1);
  // EPERM: the owner is a user namespace outside of ours.
  return owner && inode_of(owner) == own_namespace_inode(NamespaceType::user);
}

}  // namespace wafers
