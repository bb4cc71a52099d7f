#include "git/repository/layout.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "git/refs/head.h"
#include "git/refs/repository_text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

Error no_repository(const fs::path& inside) {
  return Error(
      ErrorKind::failed,
      "not a git repository (or any of the parent directories): " + in_quotes(inside.native()),
      "go into a checkout, or name one with --from");
}

fs::path resolved(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (error) throw Error::system(error.value(), "cannot find " + in_quotes(path.native()));
  return real;
}

/// Where the file `.git` points to: "gitdir: <path>", relative to the file's directory.
fs::path follow_git_file(const fs::path& git_file) {
  const std::string content = read_file(git_file).value_or(std::string());
  const auto target = git_file_target(content);
  if (!target) {
    throw Error(ErrorKind::failed, "invalid gitfile format: " + in_quotes(git_file.native()));
  }
  const fs::path git_dir = git_file.parent_path() / *target;
  if (!is_git_directory(git_dir)) {
    throw Error(ErrorKind::failed,
                "not a git repository: " + in_quotes(git_dir.native()) + " (from " +
                    in_quotes(git_file.native()) + ")",
                "if the worktree or its repository was moved: git worktree repair");
  }
  return resolved(git_dir);
}

/// The directories at which git stops looking upwards; `directory` itself is always looked at.
std::vector<fs::path> ceilings() {
  const char* variable = std::getenv("GIT_CEILING_DIRECTORIES");
  std::vector<fs::path> out;
  if (variable == nullptr) return out;
  for (const std::string& entry : split(variable, ':')) {
    std::error_code error;
    if (const fs::path real = fs::canonical(entry, error); !error) out.push_back(real);
  }
  return out;
}

bool crosses_file_systems() {
  const char* variable = std::getenv("GIT_DISCOVERY_ACROSS_FILESYSTEM");
  return variable != nullptr && parse_bool(std::string(variable)).value_or(false);
}

dev_t device_of(const fs::path& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) throw_errno("cannot look at", directory.native());
  return info.st_dev;
}

/// Fills in what `directory` says if it is a worktree's root. Throws where it is a bare repository.
bool look_at(const fs::path& directory, Layout& layout) {
  const fs::path dot_git = directory / ".git";
  struct stat info {};
  if (::lstat(dot_git.c_str(), &info) == 0) {
    const bool exists = ::stat(dot_git.c_str(), &info) == 0;
    if (exists && S_ISREG(info.st_mode)) {
      layout.git_file = dot_git;
      layout.git_dir = follow_git_file(dot_git);
    } else if (exists && is_git_directory(dot_git)) {
      layout.git_dir = resolved(dot_git);
    }
  }
  if (layout.git_dir.empty() && is_git_directory(directory)) {
    throw Error(
        ErrorKind::failed,
        in_quotes(directory.native()) + " is no worktree, but a repository " + "or a part of one",
        "name a directory inside a checkout");
  }
  if (layout.git_dir.empty()) return false;
  layout.worktree = directory;
  layout.common_dir = resolved(common_dir_of(layout.git_dir));
  return true;
}

bool belongs_to(const fs::path& path, uid_t uid) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return false;
  if (info.st_uid == uid) return true;
  // git-compat-util.h: under sudo, what belongs to the one who called it is fine too.
  const char* sudo = uid == 0 ? std::getenv("SUDO_UID") : nullptr;
  if (sudo == nullptr) return false;
  const std::string_view text = sudo;
  uid_t caller = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), caller);
  return error == std::errc() && end == text.data() + text.size() && info.st_uid == caller;
}

/// setup.c: safe_directory_cb(): the last setting wins where it is empty, which forgets the others.
bool is_declared_safe(const fs::path& worktree) {
  const Config config = Config::open_protected();
  bool safe = false;
  for (const Setting& setting : config.settings()) {
    if (setting.key != "safe.directory") continue;
    const std::string value = expand_home(setting.value.value_or(std::string()));
    if (value.empty()) {
      safe = false;
    } else if (value == "*") {
      safe = true;
    } else if (value.ends_with("/*")) {
      safe = safe || worktree.native().starts_with(value.substr(0, value.size() - 1));
    } else {
      std::error_code error;
      const fs::path real = fs::canonical(value, error);
      safe = safe || worktree == value || (!error && worktree == real);
    }
  }
  return safe;
}

}  // namespace

Layout discover(const fs::path& inside) {
  fs::path directory = resolved(inside);
  if (!fs::is_directory(directory)) directory = directory.parent_path();
  const std::vector<fs::path> stops = ceilings();
  const bool any_device = crosses_file_systems();
  const dev_t device = device_of(directory);
  Layout layout;
  while (!look_at(directory, layout)) {
    const fs::path parent = directory.parent_path();
    const bool stop =
        parent == directory || std::find(stops.begin(), stops.end(), parent) != stops.end();
    if (stop || (!any_device && device_of(parent) != device)) throw no_repository(inside);
    directory = parent;
  }
  return layout;
}

std::optional<std::string> missing_way_back(const Layout& layout) {
  Layout found;
  try {
    found = discover(layout.worktree);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then it leads nowhere
  }
  if (found.git_dir == layout.git_dir && found.worktree == layout.worktree) return std::nullopt;
  const std::string worktree = "core.worktree of " + in_quotes(layout.git_dir.native()) +
                               " names " + in_quotes(layout.worktree.native());
  if (found.worktree == layout.worktree) {
    return worktree + ", which belongs to the repository " + in_quotes(found.git_dir.native());
  }
  const fs::path git_file = layout.worktree / ".git";
  return worktree + ", which doesn't lead back to that repository; echo " +
         shell_quoted("gitdir: " + layout.git_dir.native()) + " > " +
         shell_quoted(git_file.native()) + " makes it do so";
}

void check_ownership(const Layout& layout) {
  const uid_t uid = ::geteuid();
  const bool ours = belongs_to(layout.worktree, uid) && belongs_to(layout.git_dir, uid) &&
                    (layout.git_file.empty() || belongs_to(layout.git_file, uid));
  if (ours || is_declared_safe(layout.worktree)) return;
  throw Error(ErrorKind::refused,
              "detected dubious ownership in repository at " + in_quotes(layout.worktree.native()),
              "git config --global --add safe.directory " + shell_quoted(layout.worktree.native()));
}

std::vector<std::string> format_problems(const Layout& layout, const Config& repository_config) {
  const std::string where = "the repository " + in_quotes(layout.common_dir.native());
  const std::string version = repository_config.get("core.repositoryformatversion").value_or("0");
  if (version != "0" && version != "1") {
    return {where + " has format version " + printable(version) + ", which wafers doesn't know"};
  }
  constexpr std::array<std::string_view, 5> kServed{
      "extensions.noop", "extensions.partialclone", "extensions.worktreeconfig",
      "extensions.preciousobjects", "extensions.relativeworktrees"};
  std::vector<std::string> problems;
  for (const Setting& setting : repository_config.settings()) {
    if (!setting.key.starts_with("extensions.")) continue;
    const std::string value = setting.value.value_or(std::string());
    if (setting.key == "extensions.objectformat") {
      if (value == "sha1") continue;
      problems.push_back(where + " names its objects with " + printable(value) +
                         "; wafers works with SHA-1 repositories only");
    } else if (setting.key == "extensions.refstorage") {
      if (value == "files") continue;
      problems.push_back(where + " keeps its refs in the format " + in_quotes(value) +
                         "; wafers works with the format 'files' only");
    } else if (version == "1" &&
               std::find(kServed.begin(), kServed.end(), setting.key) == kServed.end()) {
      // In version 0 git ignores extensions that it doesn't know (setup.c: handle_extension_v0).
      problems.push_back(where + " uses the extension " +
                         in_quotes(std::string_view(setting.key).substr(11)) +
                         ", which wafers doesn't know");
    }
  }
  return problems;
}

}  // namespace wafers::git
