#include "core/git_commands/overview.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "core/git_commands/wafer_git.h"
#include "git/text/quote.h"

namespace wafers {
Overview overview_of(const Wafer& wafer) {
  const WaferGit git = open_wafer_git(wafer);
  Overview overview;
  if (const auto base = git::Oid::from_hex(wafer.base_commit)) {
    overview.ahead = git.repository.commits_ahead(git.tip, *base);
  }
  const auto objects = git.repository.objects(git::Writes::to_memory);
  overview.changed = uncommitted_paths(wafer, git, *objects).size();
  if (overview.ahead > 0) {
    overview.subject = git::subject_of(git.repository.message_of(git.tip));
  }
  return overview;
}

std::uintmax_t disk_usage(const Wafer& wafer) {
  namespace fs = std::filesystem;
  constexpr std::uintmax_t kBlock = 512;
  std::uintmax_t bytes = 0;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(wafer.upper(), options, error), end; !error && it != end;
       it.increment(error)) {
    struct stat status {};
    if (::lstat(it->path().c_str(), &status) == 0) {
      bytes += static_cast<std::uintmax_t>(status.st_blocks) * kBlock;
    }
  }
  return bytes;
}

std::optional<std::filesystem::path> repository_here() {
  try {
    return git::Repository::open_here(".").common_dir();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::filesystem::path> repository_of(const Wafer& wafer) {
  try {
    return git::Repository::open(wafer.checkout).common_dir();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace wafers
