#include "git/rule_files.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "git/file.h"

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
  return text_of(configured ? std::filesystem::path(*configured) : in_user_config(standard));
}

}  // namespace

std::string excludes_file(const Repository& repository) {
  return user_rules(repository, "core.excludesFile", "ignore");
}

std::string attributes_file(const Repository& repository) {
  return user_rules(repository, "core.attributesFile", "attributes");
}

std::string info_file(const Repository& repository, const char* name) {
  return text_of(repository.common_dir() / "info" / name);
}

LetterCase letter_case(const Repository& repository) {
  return repository.config_bool("core.ignoreCase", false) ? LetterCase::ignored
                                                          : LetterCase::sensitive;
}

}  // namespace wafers::git
