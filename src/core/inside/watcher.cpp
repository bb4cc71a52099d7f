#include "core/inside/watcher.h"

#include "base/text.h"
#include "git/program/git_version.h"

namespace wafers {
namespace {

/// As a quoted value in a file of git's configuration (git-config(1)).
std::string config_quoted(std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

bool heeds_watcher(std::string_view version) {
  const auto parsed = git::parse_git_version(version);
  return parsed && *parsed >= git::GitVersion{2, 43};
}

std::string watcher_config(const std::filesystem::path& program,
                           const std::filesystem::path& directory) {
  const std::string quoted = shell_quoted(program.native());
  // Git gives it to a shell, with its question behind it.
  const std::string command =
      "test -x " + quoted + " && " + quoted + " " + shell_quoted(directory.native());
  return "[core]\n\tfsmonitor = " + config_quoted(command) +
         "\n\tfsmonitorHookVersion = 2\n\tuntrackedCache = true\n";
}

}  // namespace wafers
