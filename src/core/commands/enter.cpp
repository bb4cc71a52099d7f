#include "core/commands/enter.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "base/text.h"
#include "core/view/backends.h"
#include "core/view/mount.h"
#include "core/view/mountpoint.h"
#include "git/program/git_program.h"
#include "git/refs/lock_file.h"
#include "linux/second_view.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> current_directory() {
  std::error_code error;
  fs::path path = fs::current_path(error);
  // No error to report: a caller whose directory is gone gets the mountpoint.
  return error ? std::nullopt : std::optional(std::move(path));
}

fs::path target_directory(const Wafer& wafer, const EnterRequest& request,
                          const std::optional<fs::path>& callers) {
  // operator/ takes an absolute --cwd as it is: a directory as seen from inside.
  if (request.cwd) return wafer.root() / *request.cwd;
  if (!callers) return wafer.root();
  // A caller may stand in host_path.
  for (const fs::path& top : {wafer.root(), wafer.mountpoint, second_view_of(wafer.directory)}) {
    if (!is_within(callers->native(), top.native())) continue;
    return (wafer.root() / callers->lexically_relative(top)).lexically_normal();
  }
  return wafer.root();
}

void change_directory(const fs::path& path) {
  if (::chdir(path.c_str()) != 0) {
    const int err = errno;
    throw Error::system(err,
                        "cannot change to directory " + in_quotes(path.native()) + " in the view");
  }
}

void set_variable(const std::string& name, const std::string& value) {
  if (::setenv(name.c_str(), value.c_str(), 1) != 0) {
    throw_errno("cannot set environment variable", name);
  }
}

void set_environment(const Wafer& wafer, const EnterRequest& request) {
  // In a wafer started from a Git hook they would lead git in the view to the base's index.
  git::clear_repository_variables();
  set_variable("WAFERS_NAME", wafer.name);
  set_variable("WAFERS_BRANCH", wafer.branch);
  set_variable("WAFERS_ROOT", wafer.root().native());
  // Tools trust PWD over getcwd(3) if it names the same directory; the caller's may be stale.
  if (const auto here = current_directory()) set_variable("PWD", here->native());
  for (const std::string& assignment : request.environment) {
    const std::size_t equals = assignment.find('=');
    set_variable(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
}

std::vector<std::string> command_of(const EnterRequest& request) {
  if (!request.command.empty()) return request.command;
  const char* const shell = std::getenv("SHELL");
  return {shell != nullptr && *shell != '\0' ? shell : "/bin/sh"};
}

/// Mounts the view if needed, and enters it. Between looking and entering the view may go away:
/// an umount, or a killed holder, which for a moment has given up its namespaces already and is
/// still there (ESRCH). The next try finds it unmounted, and mounts it again.
Wafer mount_and_enter(const Store& store, const std::string& name, const PrepareLayers& prepare) {
  constexpr int kTries = 100;
  constexpr timespec kPause{0, 10'000'000};
  for (int tries = 1;; ++tries) {
    auto [wafer, view] = ensure_healed(store, name, prepare);
    if (view) {
      try {
        view->enter();
        return wafer;
      } catch (const Error& error) {
        const bool still_there = make_backend(wafer.backend)->find(wafer) != nullptr;
        if (tries == kTries || (still_there && error.errnum() != ESRCH)) throw;
      }
    } else if (tries == kTries) {
      throw not_mounted(wafer);
    }
    ::nanosleep(&kPause, nullptr);
  }
}

}  // namespace

void enter_and_execute(const Store& store, const EnterRequest& request,
                       const PrepareLayers& prepare) {
  const std::vector<std::string> command = command_of(request);
  const auto callers_directory = current_directory();
  const Wafer wafer = mount_and_enter(store, request.name, prepare);
  // That of a command that was killed would keep git from its index.
  if (wafer.has_git_inside()) git::take_away_dead_lock(wafer.git_dir / "index");
  change_directory(target_directory(wafer, request, callers_directory));
  set_environment(wafer, request);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  // execvp(3) takes pointers to non-const for historical reasons and changes nothing.
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  const int err = errno;
  throw CommandNotRun(Error::system(err, "cannot run " + in_quotes(command.front())));
}

}  // namespace wafers
