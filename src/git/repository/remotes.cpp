#include "git/repository/remotes.h"

#include <algorithm>
#include <string_view>
#include <system_error>

#include "git/repository/repository_impl.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<std::string> setting_of(const Repository& repository, const std::string& branch,
                                      const char* key) {
  return repository.config("branch." + branch + "." + key);
}

}  // namespace

std::vector<std::string> remote_names(const Repository& repository) {
  constexpr std::string_view kPrefix = "remote.";
  std::vector<std::string> names;
  for (const Setting& setting : RepositoryAccess::of(repository).config.settings()) {
    const std::size_t last_dot = setting.key.rfind('.');
    // remote.pushDefault has no name in it.
    if (!setting.key.starts_with(kPrefix) || last_dot < kPrefix.size()) continue;
    std::string name = setting.key.substr(kPrefix.size(), last_dot - kPrefix.size());
    if (!contains(names, name)) names.push_back(std::move(name));
  }
  return names;
}

std::optional<std::string> push_remote_of(const Repository& repository, const std::string& branch) {
  if (auto remote = setting_of(repository, branch, "pushRemote")) return remote;
  if (auto remote = repository.config("remote.pushDefault")) return remote;
  if (auto remote = setting_of(repository, branch, "remote")) return remote;
  const std::vector<std::string> names = remote_names(repository);
  if (names.size() == 1) return names.front();
  if (is_known_remote(repository, "origin")) return "origin";
  return std::nullopt;
}

bool has_upstream(const Repository& repository, const std::string& branch) {
  return setting_of(repository, branch, "remote") && setting_of(repository, branch, "merge");
}

bool is_known_remote(const Repository& repository, const std::string& remote) {
  if (remote.find(':') != std::string::npos || contains(remote_names(repository), remote)) {
    return true;
  }
  std::error_code error;
  const fs::path common = repository.common_dir();
  return fs::exists(repository.worktree() / remote, error) ||
         fs::exists(common / "remotes" / remote, error) ||
         fs::exists(common / "branches" / remote, error);
}

}  // namespace wafers::git
