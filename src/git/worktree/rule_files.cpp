#include "git/worktree/rule_files.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "git/repository/config.h"
#include "os/files.h"

namespace wafers::git {
namespace {

std::string text_of(const std::filesystem::path& path) {
  try {
    return read_file(path).value_or("");
  } catch (const Error&) {
    return {};
  }
}

std::filesystem::path in_user_config(const char* name) {
  const char* xdg = std::getenv("XDG_CONFIG_HOME");
  if (xdg != nullptr && *xdg != '\0') return std::filesystem::path(xdg) / "git" / name;
  const char* home = std::getenv("HOME");
  if (home == nullptr) return {};
  return std::filesystem::path(home) / ".config" / "git" / name;
}

std::string user_rules(const Repository& repository, const char* key, const char* standard) {
  const auto configured = repository.config_path(key);
  if (!configured) return text_of(in_user_config(standard));
  // git has gone to the top of the worktree before it opens the file.
  return configured->empty() ? std::string() : text_of(repository.worktree() / *configured);
}

}  // namespace

std::string excludes_file(const Repository& repository) {
  return user_rules(repository, "core.excludesFile", "ignore");
}

std::string users_excludes_file() {
  const auto configured = Config::open_protected().get("core.excludesFile");
  if (!configured) return text_of(in_user_config("ignore"));
  return configured->empty() ? std::string() : text_of(expand_home(*configured));
}

std::string attributes_file(const Repository& repository) {
  const char* without_system = std::getenv("GIT_ATTR_NOSYSTEM");
  std::string rules;
  if (without_system == nullptr || !parse_bool(without_system).value_or(false)) {
    rules = text_of("/etc/gitattributes") + "\n";
  }
  return rules + user_rules(repository, "core.attributesFile", "attributes");
}

std::string info_file(const Repository& repository, const char* name) {
  return text_of(repository.common_dir() / "info" / name);
}

LetterCase letter_case(const Repository& repository) {
  return repository.config_bool("core.ignoreCase", false) ? LetterCase::ignored
                                                          : LetterCase::sensitive;
}

}  // namespace wafers::git
