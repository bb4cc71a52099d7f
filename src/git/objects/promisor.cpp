#include "git/objects/promisor.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "git/program/git_program.h"

namespace wafers::git {
namespace {

/// environment.c: a user's word that nothing is to be fetched on demand.
bool is_forbidden() {
  const char* const value = std::getenv("GIT_NO_LAZY_FETCH");
  return value != nullptr && parse_bool(std::string(value)).value_or(true);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Promisor::Promisor(std::filesystem::path git_dir, const std::vector<Setting>& settings)
    : git_dir_(std::move(git_dir)) {
  constexpr std::string_view kBefore = "remote.";
  constexpr std::string_view kBehind = ".promisor";
  std::vector<std::string> last;
  for (const Setting& setting : settings) {
    const std::string& key = setting.key;
    if (key == "extensions.partialclone" && setting.value) last = {*setting.value};
    if (!key.starts_with(kBefore) || !key.ends_with(kBehind)) continue;
    if (key.size() <= kBefore.size() + kBehind.size()) continue;
    const std::string name =
        key.substr(kBefore.size(), key.size() - kBefore.size() - kBehind.size());
    std::erase(remotes_, name);
    if (parse_bool(setting.value).value_or(false)) remotes_.push_back(name);
  }
  // promisor-remote.c: the one of the extension is asked last.
  for (const std::string& name : last) {
    std::erase(remotes_, name);
    remotes_.push_back(name);
  }
}

/// As git does it for itself (promisor-remote.c: fetch_objects()).
std::string Promisor::fetch(const std::vector<Oid>& wanted) const {
  if (is_forbidden()) return "GIT_NO_LAZY_FETCH forbids to fetch it";
  std::string names;
  for (const Oid& oid : wanted) names += oid.hex() + "\n";
  std::string failure;
  for (const std::string& remote : remotes_) {
    const ProgramResult result =
        run_program({"git", "-c", "fetch.negotiationAlgorithm=noop", "--git-dir", git_dir_, "fetch",
                     remote, "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                     "--recurse-submodules=no", "--filter=blob:none", "--stdin"},
                    git_dir_, names);
    if (result.success()) return {};
    failure = "git could not fetch it from '" + remote + "': " + first_line(result.errors);
  }
  return failure;
}

std::string Promisor::hint() const {
  if (is_forbidden()) return "this is a partial clone: unset GIT_NO_LAZY_FETCH, and try again";
  return "this is a partial clone: make sure that '" + remotes_.back() +
         "' can be reached, and try again";
}

}  // namespace wafers::git
