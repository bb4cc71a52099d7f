#include "os/claim.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {

UniqueFd claim_directory(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    // Between open(2) and flock(2) another one may have had the lock, and removed it.
    return is_at(fd.get(), path) ? std::move(fd) : UniqueFd();
  }
  const int err = errno;
  if (err == EWOULDBLOCK || err == ENOENT) return {};
  throw Error::system(err, "cannot lock " + in_quotes(path.native()));
}

}  // namespace wafers
