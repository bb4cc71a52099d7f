#include "core/commands/discard.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/commands/base_check.h"
#include "core/git_commands/diff.h"
#include "core/inside/inside_index.h"
#include "core/view/backends.h"
#include "os/child.h"
#include "os/claim.h"
#include "os/orphans.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".removing-";

/// A directory that is ours to remove, as long as its descriptor, which holds the lock, is open.
struct Claim {
  UniqueFd lock;
  fs::path path;
};

bool is_trial(const fs::path& path) { return path.filename().native().starts_with(kTrialPrefix); }

void remove_quietly(const fs::path& path, const std::function<void()>& removed = {}) noexcept {
  try {
    is_trial(path) ? remove_trial(path) : remove_tree(path, removed);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next sweep tries again
  }
}

void remove_quietly(const std::vector<Claim>& claims) noexcept {
  for (const Claim& claim : claims) remove_quietly(claim.path);
}

/// Whoever called wafers waits for it.
void remove_here(const Store& store, const std::vector<Claim>& claims) noexcept {
  std::size_t count = 0;
  for (const Claim& claim : claims) {
    remove_quietly(claim.path, [&] { store.show_progress("removing files", ++count); });
  }
}

std::vector<int> locks_of(const std::vector<Claim>& claims) {
  std::vector<int> locks;
  locks.reserve(claims.size());
  for (const Claim& claim : claims) locks.push_back(claim.lock.get());
  return locks;
}

/// Forks twice, so that there is nothing to wait for. Where that fails, or
/// would leave a zombie, it is done here.
void remove_in_background(const Store& store, const std::vector<Claim>& claims) noexcept {
  if (!orphans_are_reaped()) return remove_here(store, claims);
  const pid_t child = ::fork();
  if (child < 0) return remove_here(store, claims);
  if (child == 0) {
    leave_session_and_streams();
    keep_open_only(locks_of(claims));
    if (::chdir("/") != 0) ::_exit(1);
    if (::fork() <= 0) remove_quietly(claims);
    ::_exit(0);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// What may have been left behind, or be in use.
struct Suspects {
  std::vector<fs::path> half_made;
  std::vector<fs::path> claimable;
};

Suspects find_suspects(const fs::path& root) {
  Suspects suspects;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().native();
    if (name.starts_with(kAddingPrefix)) suspects.half_made.push_back(it->path());
    if (name.starts_with(kPrefix) || name.starts_with(kTrialPrefix) ||
        name.starts_with(kDiffPrefix) || name.starts_with(kCheckPrefix) ||
        name.starts_with(kMakingPrefix) || name.starts_with(kIndexPrefix)) {
      suspects.claimable.push_back(it->path());
    }
  }
  return suspects;
}

/// The process that makes one holds lock_all() until it has its final name.
void remove_half_made(const Store& store, const std::vector<fs::path>& directories) {
  if (directories.empty()) return;
  const Lock lock = store.lock_all();
  for (const fs::path& directory : directories) remove_quietly(directory);
}

/// Each takes a descriptor: of very many, the next sweep takes the rest.
std::vector<Claim> claim_those_left(const std::vector<fs::path>& directories) {
  constexpr std::size_t kMost = 32;
  std::vector<Claim> claims;
  for (const fs::path& directory : directories) {
    if (claims.size() == kMost) break;
    try {
      if (UniqueFd lock = claim_directory(directory)) {
        claims.push_back({std::move(lock), directory});
      }
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it keeps no other from going
    }
  }
  return claims;
}

}  // namespace

void discard(const Store& store, const fs::path& directory, std::size_t at_once) {
  Claim claim{claim_directory(directory), {}};
  int err = EEXIST;
  for (unsigned i = 0; err == EEXIST; ++i) {
    claim.path = store.root() / (std::string(kPrefix) + directory.filename().native() + "-" +
                                 std::to_string(::getpid()) + "-" + std::to_string(i));
    const bool moved = ::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, claim.path.c_str(),
                                   RENAME_NOREPLACE) == 0;
    err = moved ? 0 : errno;
  }
  if (err == ENOSPC || err == EDQUOT) return remove_tree(directory);
  if (err != 0) {
    throw Error::system(err, "cannot move " + in_quotes(directory.native()) + " aside");
  }
  try {
    if (at_once > 0 && remove_small_tree(claim.path, at_once)) return;
  } catch (const Error&) {
    // With its record, ls shows what is left and rm can go on; without, the next sweep does.
    const bool shows = fs::exists(claim.path / kRecordFile);
    if (shows && ::rename(claim.path.c_str(), directory.c_str()) == 0) throw;
    return;
  }
  std::vector<Claim> claims;
  claims.push_back(std::move(claim));
  remove_in_background(store, claims);
}

void sweep(const Store& store) noexcept {
  try {
    const Suspects suspects = find_suspects(store.root());
    const std::vector<Claim> claims = claim_those_left(suspects.claimable);
    if (!claims.empty()) remove_in_background(store, claims);
    remove_half_made(store, suspects.half_made);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next one tries again
  }
}

}  // namespace wafers
