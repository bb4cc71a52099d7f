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
#include "os/remove_tree.h"

namespace wafers {
namespace {

constexpr mode_t kMode = 0644;

}  // namespace

void hide_repository(const Wafer& wafer) {
  const UniqueFd upper = open_file(wafer.upper(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!upper) {
    const int err = errno;
    throw Error::system(err, "cannot open " + in_quotes(wafer.upper().native()));
  }
  const std::string name = ".git";
  if (wafer.has_git_inside()) {
    remove_tree(wafer.upper() / name);
    const UniqueFd file = open_at(upper.get(), name, O_WRONLY | O_CREAT | O_EXCL, kMode);
    if (!file) throw_errno("cannot make the .git file of", wafer.name);
    return write_all(file.get(), "gitdir: " + wafer.reached_inside(wafer.git_dir).native() + "\n",
                     name);
  }
  struct stat present {};
  if (::fstatat(upper.get(), name.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0) return;
  make_whiteout(upper.get(), name, wafer.dialect);
}

}  // namespace wafers
