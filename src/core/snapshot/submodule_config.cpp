#include "core/snapshot/submodule_config.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/error.h"
#include "git/text/config_text.h"

namespace wafers {
namespace {

std::optional<SubmoduleIgnore> parse(const std::optional<std::string>& value) {
  if (value == "none") return SubmoduleIgnore::none;
  if (value == "untracked") return SubmoduleIgnore::untracked;
  if (value == "dirty") return SubmoduleIgnore::dirty;
  if (value == "all") return SubmoduleIgnore::all;
  return std::nullopt;
}

std::vector<git::Setting> settings_in(std::string_view gitmodules) {
  try {
    return git::parse_config_text(gitmodules);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

SubmoduleConfig::SubmoduleConfig(const git::Repository& repository, std::string_view gitmodules) {
  otherwise_ = parse(repository.config("diff.ignoreSubmodules")).value_or(SubmoduleIgnore::none);
  // wt-status.c: wt_status_collect_changes_worktree
  if (repository.config("status.showUntrackedFiles") == "no") {
    otherwise_ = std::max(otherwise_, SubmoduleIgnore::untracked);
  }
  std::map<std::string, std::string> paths;
  std::map<std::string, SubmoduleIgnore> ignored;
  for (const auto& [key, given] : settings_in(gitmodules)) {
    constexpr std::string_view kSection = "submodule.";
    const std::size_t dot = key.rfind('.');
    if (!key.starts_with(kSection) || dot <= kSection.size()) continue;
    const std::string name = key.substr(kSection.size(), dot - kSection.size());
    const std::string_view what = std::string_view(key).substr(dot + 1);
    const std::string value = given.value_or(std::string());
    if (what == "path") paths[name] = value;
    if (what == "ignore" && parse(value)) ignored[name] = *parse(value);
  }
  for (const auto& [name, path] : paths) {
    const auto recorded = ignored.find(name);
    const auto own = parse(repository.config("submodule." + name + ".ignore"));
    by_path_[path] = own ? *own : recorded != ignored.end() ? recorded->second : otherwise_;
  }
}

SubmoduleIgnore SubmoduleConfig::ignore_of(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? otherwise_ : found->second;
}

}  // namespace wafers
