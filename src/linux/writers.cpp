#include "linux/writers.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <csignal>

namespace wafers {

bool has_no_writer(int fd) {
  // fcntl(2): a lease for reading is granted only where no process has the file open for writing,
  // and a mapping keeps it open. Who opens it in the moment until the lease is given back waits for
  // that, and the kernel tells us by a signal: by one that does no harm.
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0 || ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return false;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return true;
}

bool hides_stores(const std::filesystem::path& directory) {
  struct statfs info {};
  return ::statfs(directory.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

}  // namespace wafers
