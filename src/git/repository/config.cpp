#include "git/repository/config.h"

#include <pwd.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/library.h"
#include "git/text/ascii.h"
#include "git/text/wildmatch.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Section and name in lower case; the subsection between the first and the last dot stays.
std::string canonical_key(std::string_view key) {
  const std::size_t first = key.find('.');
  const std::size_t last = key.rfind('.');
  if (first == std::string_view::npos) return lower_case(key);
  return lower_case(key.substr(0, first)) + std::string(key.substr(first, last - first)) +
         lower_case(key.substr(last));
}

/// The glob of an `includeIf` on remotes' URLs; empty for every other key.
std::string_view remote_url_glob(std::string_view key) {
  constexpr std::string_view kBefore = "includeif.hasconfig:remote.*.url:";
  constexpr std::string_view kAfter = ".path";
  if (!key.starts_with(kBefore) || !key.ends_with(kAfter)) return {};
  return key.substr(kBefore.size(), key.size() - kBefore.size() - kAfter.size());
}

/// One word of a shell command line as git's sq_quote() writes it: '...' with '\'' and '\!' in it.
std::string take_shell_word(std::string_view& text) {
  const auto malformed = [] {
    return Error(ErrorKind::failed, "cannot read GIT_CONFIG_PARAMETERS: bad quoting");
  };
  std::string word;
  while (!text.empty() && text.front() == '\'') {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos) throw malformed();
    word += text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (text.size() < 2 || text.front() != '\\') return word;
    word += text[1];
    text.remove_prefix(2);
  }
  throw malformed();
}

}  // namespace

std::string expand_home(const std::string& path) {
  if (!path.starts_with('~')) return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  if (end == 1) return environment("HOME") + path.substr(end);
  const struct passwd* user = ::getpwnam(path.substr(1, end - 1).c_str());
  return user == nullptr ? path : user->pw_dir + path.substr(end);
}

std::vector<Setting> parse_config_parameters(std::string_view text) {
  std::vector<Setting> settings;
  while (true) {
    const std::size_t start = text.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return settings;
    text.remove_prefix(start);
    std::string word = take_shell_word(text);
    Setting setting;
    if (text.starts_with('=')) {
      text.remove_prefix(1);
      setting.key = canonical_key(word);
      if (text.starts_with('\'')) setting.value = take_shell_word(text);
    } else {
      const std::size_t equals = word.find('=');
      setting.key = canonical_key(trimmed(std::string_view(word).substr(0, equals)));
      if (equals != std::string::npos) setting.value = word.substr(equals + 1);
    }
    settings.push_back(std::move(setting));
  }
}

Config Config::open_protected() {
  ensure_library();
  Config config;
  check(git_config_new(Out(config.handle_)), "cannot read Git's configuration");
  config.add_user_files(nullptr);
  config.read_files();
  config.read_environment();
  return config;
}

Config Config::open(git_repository* repository, const fs::path& common_dir,
                    const fs::path& worktree_config) {
  ensure_library();
  Config config;
  check(git_config_new(Out(config.handle_)), "cannot read Git's configuration");
  config.add_user_files(repository);
  config.add_file(common_dir / "config", GIT_CONFIG_LEVEL_LOCAL, repository);
  if (!worktree_config.empty()) config.add_file(worktree_config, GIT_CONFIG_LEVEL_APP, repository);
  config.read_files();
  config.read_environment();
  return config;
}

Config Config::open_file(const fs::path& file) {
  Config config;
  const std::optional<std::string> text = read_file(file);
  if (!text) return config;
  try {
    config.settings_ = parse_config_text(*text);
  } catch (const Error& error) {
    throw Error(ErrorKind::failed,
                "cannot read configuration file " + in_quotes(file.native()) + ": " + error.what());
  }
  return config;
}

std::vector<Setting> Config::settings_with_includes(const fs::path& file) {
  Config config;
  check(git_config_new(Out(config.handle_)), "cannot read Git's configuration");
  config.add_file(file, GIT_CONFIG_LEVEL_LOCAL, nullptr);
  config.read_files();
  return std::move(config.settings_);
}

void Config::add_file(const fs::path& file, git_config_level_t level, git_repository* repository) {
  // git skips a file that it may not even look up, and fails on one that it can't read.
  if (::access(file.c_str(), F_OK) != 0) return;
  check(git_config_add_file_ondisk(handle_.get(), file.c_str(), level, repository, 0),
        "cannot read configuration file " + in_quotes(file.native()));
  files_[level] = file;
}

void Config::add_user_files(git_repository* repository) {
  if (!parse_bool(environment("GIT_CONFIG_NOSYSTEM")).value_or(false)) {
    const std::string system = environment("GIT_CONFIG_SYSTEM");
    add_file(system.empty() ? "/etc/gitconfig" : system, GIT_CONFIG_LEVEL_SYSTEM, repository);
  }
  if (const char* global = std::getenv("GIT_CONFIG_GLOBAL"); global != nullptr) {
    if (*global != '\0') add_file(global, GIT_CONFIG_LEVEL_GLOBAL, repository);
    return;
  }
  const std::string home = environment("HOME");
  const std::string xdg = environment("XDG_CONFIG_HOME");
  if (!xdg.empty()) {
    add_file(fs::path(xdg) / "git/config", GIT_CONFIG_LEVEL_XDG, repository);
  } else if (!home.empty()) {
    add_file(fs::path(home) / ".config/git/config", GIT_CONFIG_LEVEL_XDG, repository);
  }
  if (!home.empty()) add_file(fs::path(home) / ".gitconfig", GIT_CONFIG_LEVEL_GLOBAL, repository);
}

void Config::read_files() {
  ConfigIteratorHandle iterator;
  check(git_config_iterator_new(Out(iterator), handle_.get()), "cannot read Git's configuration");
  git_config_entry* entry = nullptr;
  int result = 0;
  while ((result = git_config_next(&entry, iterator.get())) == 0) {
    Setting setting{entry->name, std::nullopt};
    if (entry->value != nullptr) setting.value = entry->value;
    if (entry->include_depth == 0 && setting.value && !remote_url_glob(setting.key).empty()) {
      remote_url_includes_.push_back({settings_.size(), files_[entry->level].parent_path()});
    }
    settings_.push_back(std::move(setting));
  }
  if (result != GIT_ITEROVER) check(result, "cannot read Git's configuration");
  include_by_remote_url();
}

/// includeIf "hasconfig:remote.*.url:<glob>" (config.c: include_by_remote_url), which libgit2 1.5
/// doesn't know: the file counts in the place of the setting, if any remote's URL matches.
void Config::include_by_remote_url() {
  if (remote_url_includes_.empty()) return;
  std::vector<std::string> urls;
  for (const Setting& setting : settings_) {
    const bool remote = setting.key.starts_with("remote.") && setting.key.ends_with(".url");
    if (remote && setting.value) urls.push_back(*setting.value);
  }
  // From the last to the first, so that the positions stay good.
  for (auto include = remote_url_includes_.rbegin(); include != remote_url_includes_.rend();
       ++include) {
    const Setting& setting = settings_[include->position];
    const Wildmatch glob(remote_url_glob(setting.key), Slash::separator, LetterCase::sensitive);
    if (std::none_of(urls.begin(), urls.end(),
                     [&](const auto& url) { return glob.matches(url); })) {
      continue;
    }
    const std::vector<Setting> included =
        settings_with_includes(include->directory / expand_home(*setting.value));
    settings_.insert(settings_.begin() + static_cast<std::ptrdiff_t>(include->position) + 1,
                     included.begin(), included.end());
  }
  remote_url_includes_.clear();
}

void Config::read_environment() {
  const std::string count_text = environment("GIT_CONFIG_COUNT");
  int count = 0;
  const auto [end, error] =
      std::from_chars(count_text.data(), count_text.data() + count_text.size(), count);
  if (!count_text.empty() && (error != std::errc() || *end != '\0' || count < 0)) {
    throw Error(ErrorKind::failed, "bogus count in GIT_CONFIG_COUNT");
  }
  for (int i = 0; i < count; ++i) {
    const char* key = std::getenv(("GIT_CONFIG_KEY_" + std::to_string(i)).c_str());
    const char* value = std::getenv(("GIT_CONFIG_VALUE_" + std::to_string(i)).c_str());
    if (key == nullptr || value == nullptr) {
      throw Error(ErrorKind::failed, "missing GIT_CONFIG_KEY_" + std::to_string(i) +
                                         " or GIT_CONFIG_VALUE_" + std::to_string(i));
    }
    settings_.push_back({canonical_key(key), value});
  }
  for (Setting& setting : parse_config_parameters(environment("GIT_CONFIG_PARAMETERS"))) {
    settings_.push_back(std::move(setting));
  }
}

const Setting* Config::find(std::string_view key) const {
  const std::string wanted = canonical_key(key);
  const auto found = std::find_if(settings_.rbegin(), settings_.rend(),
                                  [&](const Setting& setting) { return setting.key == wanted; });
  return found == settings_.rend() ? nullptr : &*found;
}

std::optional<std::string> Config::get(std::string_view key) const {
  const Setting* setting = find(key);
  if (setting == nullptr) return std::nullopt;
  return setting->value.value_or(std::string());
}

bool Config::get_bool(std::string_view key, bool otherwise) const {
  const Setting* setting = find(key);
  if (setting == nullptr) return otherwise;
  const std::optional<bool> value = parse_bool(setting->value);
  if (!value) {
    throw Error(ErrorKind::failed, "bad boolean config value " + in_quotes(*setting->value) +
                                       " for " + in_quotes(setting->key));
  }
  return *value;
}

}  // namespace wafers::git
