#include "core/state/hidden_git.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "linux/upper.h"
#include "os/files.h"

namespace wafers {

void hide_repository(const Wafer& wafer) {
  const UniqueFd upper = open_file(wafer.upper(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!upper) {
    const int err = errno;
    throw Error::system(err, "cannot open " + in_quotes(wafer.upper().native()));
  }
  const std::string name = ".git";
  struct stat present {};
  if (::fstatat(upper.get(), name.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0) return;
  make_whiteout(upper.get(), name, wafer.dialect);
}

}  // namespace wafers
