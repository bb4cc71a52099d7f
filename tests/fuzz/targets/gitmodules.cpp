// `.gitmodules` as the view has it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/snapshot/submodule_config.h"
#include "git/repository/repository.h"
#include "git/text/config_text.h"
#include "target.h"

namespace {

namespace fs = std::filesystem;
using wafers::SubmoduleConfig;
using wafers::SubmoduleIgnore;
using wafers::fuzz::require;
using wafers::git::Repository;
using wafers::git::Setting;

std::optional<std::vector<Setting>> parsed(std::string_view text) {
  try {
    return wafers::git::parse_config_text(text);
  } catch (const wafers::Error&) {
    return std::nullopt;
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// One setting as `git config` would write it.
std::string written(const Setting& setting) {
  const std::size_t first = setting.key.find('.');
  const std::size_t last = setting.key.rfind('.');
  std::string out;
  if (first != std::string::npos) {
    out = "[" + setting.key.substr(0, first);
    if (first != last) out += " " + in_quotes(setting.key.substr(first + 1, last - first - 1));
    out += "]\n";
  }
  out += setting.key.substr(last == std::string::npos ? 0 : last + 1);
  return out + (setting.value ? " = " + in_quotes(*setting.value) : "") + "\n";
}

/// Every setting, written and read, is itself.
void check_round_trip(const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    const auto again = parsed(written(setting));
    require(again && again->size() == 1, "what is written can be read");
    require(again->front().key == setting.key, "a key is read as it was written");
    require(again->front().value == setting.value, "a value is read as it was written");
  }
}

/// A repository without anything in it, and without anybody's configuration.
Repository make_repository() {
  const fs::path top = wafers::fuzz::scratch_directory();
  for (const char* name : {"HOME", "XDG_CONFIG_HOME"}) ::setenv(name, top.c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  for (const char* directory : {"objects", "refs"}) {
    fs::create_directories(top / "repo/.git" / directory);
  }
  wafers::fuzz::write_file(top / "repo/.git/HEAD", "ref: refs/heads/main\n");
  wafers::fuzz::write_file(top / "repo/.git/config", "[core]\n\trepositoryformatversion = 0\n");
  return Repository::open(top / "repo");
}

/// Only a submodule that has both settings is treated differently.
void check_submodules(const SubmoduleConfig& config, const std::vector<Setting>& settings) {
  const bool ignores = std::ranges::any_of(
      settings, [](const Setting& setting) { return setting.key.ends_with(".ignore"); });
  for (const Setting& setting : settings) {
    const SubmoduleIgnore ignored = config.ignore_of(setting.value.value_or(std::string()));
    require(ignores || ignored == SubmoduleIgnore::none, "nothing is ignored without being told");
  }
  require(config.ignore_of("no such path") == SubmoduleIgnore::none || ignores,
          "others have the default");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Repository repository = make_repository();
  const std::string_view text = wafers::fuzz::as_text(data, size);
  const SubmoduleConfig config(repository, text);
  const std::vector<Setting> settings = parsed(text).value_or(std::vector<Setting>());
  check_round_trip(settings);
  check_submodules(config, settings);
  return 0;
}
