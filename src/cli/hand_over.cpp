#include "cli/hand_over.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// Beside this program in a build tree, else where both were installed.
std::array<fs::path, 3> candidates() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  return {here / "wafers-git", here / "../libexec/wafers/wafers-git", WAFERS_GIT_PROGRAM_PATH};
}

}  // namespace

void execute_git_program(char** argv) {
  for (const fs::path& candidate : candidates()) {
    ::execv(candidate.c_str(), argv);
    const int err = errno;
    if (err == ENOENT || err == ENOTDIR) continue;
    throw Error::system(err, "cannot run " + in_quotes(candidate.native()), "reinstall wafers");
  }
  throw Error(ErrorKind::unsupported, "the program wafers-git is missing, which this command needs",
              "reinstall wafers");
}

}  // namespace wafers
