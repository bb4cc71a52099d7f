#include "core/discard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/remove_tree.h"
#include "linux/child.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".removing-";

/// A directory that is ours to remove, as long as its descriptor, which holds the lock, is open.
struct Claim {
  UniqueFd lock;
  fs::path path;
};

UniqueFd lock_directory(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

void remove_quietly(const std::vector<Claim>& claims) noexcept {
  for (const Claim& claim : claims) {
    try {
      remove_tree(claim.path);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next sweep tries again
    }
  }
}

/// Forks twice, so that nobody has to wait for the process that does it. Where that fails, it is
/// done here.
void remove_in_background(const std::vector<Claim>& claims) noexcept {
  const pid_t child = ::fork();
  if (child < 0) return remove_quietly(claims);
  if (child == 0) {
    leave_session_and_streams();
    if (::chdir("/") != 0) ::_exit(1);
    if (::fork() <= 0) remove_quietly(claims);
    ::_exit(0);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::vector<Claim> claim_discarded(const fs::path& root) {
  std::vector<Claim> claims;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().native().starts_with(kPrefix)) continue;
    if (UniqueFd lock = lock_directory(it->path())) {
      claims.push_back({std::move(lock), it->path()});
    }
  }
  return claims;
}

}  // namespace

void discard(const fs::path& root, const fs::path& directory, std::size_t at_once) {
  Claim claim{lock_directory(directory), {}};
  int err = EEXIST;
  for (unsigned i = 0; err == EEXIST; ++i) {
    claim.path = root / (std::string(kPrefix) + directory.filename().native() + "-" +
                         std::to_string(::getpid()) + "-" + std::to_string(i));
    const bool moved = ::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, claim.path.c_str(),
                                   RENAME_NOREPLACE) == 0;
    err = moved ? 0 : errno;
  }
  if (err != 0) {
    throw Error::system(err, "cannot move " + wafers::quoted(directory.native()) + " aside");
  }
  if (at_once > 0 && remove_small_tree(claim.path, at_once)) return;
  std::vector<Claim> claims;
  claims.push_back(std::move(claim));
  remove_in_background(claims);
}

void sweep_discarded(const fs::path& root) noexcept {
  try {
    const std::vector<Claim> claims = claim_discarded(root);
    if (!claims.empty()) remove_in_background(claims);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next one tries again
  }
}

}  // namespace wafers
