#include "core/commands/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/state/store.h"
#include "core/view/backends.h"
#include "core/view/base_mounts.h"
#include "core/view/host_checks.h"
#include "git/repository/repository.h"
#include "linux/host_facts.h"
#include "os/orphans.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// The state directory, made for the time of the examination where it does not exist.
class StateDirectory {
 public:
  explicit StateDirectory(const fs::path& path) {
    try {
      made_ = Store(path).create();
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the check of the directory says why
    }
  }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory() {
    // What is in use by now is not empty, and stays.
    std::for_each(made_.rbegin(), made_.rend(),
                  [](const fs::path& path) { ::rmdir(path.c_str()); });
  }

 private:
  std::vector<fs::path> made_;  ///< outermost first
};

Trial trial_of(BackendKind kind, const fs::path& state_dir) {
  try {
    return make_backend(kind)->trial(state_dir, MountMode::volatile_);
  } catch (const Error& error) {
    Trial trial;
    trial.reason = error.message();
    trial.hint = error.hint();
    return trial;
  }
}

void choose(Diagnosis& diagnosis, const fs::path& state_dir, const Obstacles& obstacles) {
  try {
    const BackendChoice choice =
        choose_backend(state_dir, MountMode::volatile_, Trials::made_anew, obstacles);
    diagnosis.backend = choice.kind;
    diagnosis.verdict = "wafers add takes the backend " + std::string(to_string(choice.kind));
  } catch (const Error&) {
    diagnosis.verdict = "no backend works here: wafers add can't mount a view";
  }
}

/// None where there is no checkout: examine_git() says why.
Obstacles obstacles_of_checkout(const fs::path& directory) {
  try {
    const fs::path worktree = git::Repository::open_here(directory).worktree();
    return obstacles_of(worktree, find_base_mounts(worktree));
  } catch (const Error&) {
    return {};
  }
}

void examine_host(Diagnosis& diagnosis, const fs::path& state_dir) {
  const RestrictionFacts restrictions = read_restriction_facts();
  const FuseFacts fuse = read_fuse_facts();
  const Caller caller = ::geteuid() == 0 ? Caller::root : Caller::ordinary_user;
  const CheckStatus missing = diagnosis.backend ? CheckStatus::warn : CheckStatus::fail;
  const auto add = [&](Check check) { diagnosis.checks.push_back(std::move(check)); };
  const UserNamespaceProbe user_namespace = probe_user_namespace();
  const bool has_namespaces = user_namespace.failed == UserNamespaceStep::none;
  // First of all, since a trial mount makes the kernel load the overlay module, where it is one.
  std::optional<Trial> host;
  if (restrictions.cap_sys_admin) host = trial_of(BackendKind::host, state_dir);
  const Trial in_namespace = trial_of(BackendKind::namespace_, state_dir);
  add(check_kernel(read_kernel_facts(),
                   host || has_namespaces ? OverlayMount::tried : OverlayMount::not_tried,
                   missing));
  add(check_state_directory(state_dir, probe_file_system(state_dir), missing));
  add(host ? check_trial(BackendKind::host, *host, missing) : check_host_not_tried(missing));
  add(check_user_namespaces(restrictions, user_namespace, missing));
  add(check_trial(BackendKind::namespace_, in_namespace, missing));
  if (has_namespaces) add(check_ssh(read_ssh_facts(state_dir)));
  add(check_fuse_server(fuse, missing));
  add(check_fusermount(fuse, restrictions, caller, missing));
  add(check_fuse_device(fuse, missing));
  add(check_trial(BackendKind::fuse, trial_of(BackendKind::fuse, state_dir), missing));
  add(check_shutdown(read_shutdown_facts()));
  add(check_orphans(try_leaving_an_orphan()));
}

bool is_below_a_repository(fs::path directory) {
  std::error_code ignored;
  directory = fs::weakly_canonical(directory, ignored);
  while (true) {
    if (fs::exists(directory / ".git", ignored)) return true;
    if (!directory.has_relative_path()) return false;
    directory = directory.parent_path();
  }
}

using GetIdentity = std::function<git::Identity(git::Repository::Role)>;

Check check_identity(const GetIdentity& identity) {
  try {
    const git::Identity who = identity(git::Repository::Role::committer);
    identity(git::Repository::Role::author);
    return {"git-identity",
            CheckStatus::ok,
            "commits will be by " + printable(who.name + " <" + who.email + ">"),
            {}};
  } catch (const Error& error) {
    return {"git-identity", CheckStatus::warn, printable(error.message()),
            "git config --global user.name 'Your Name' && "
            "git config --global user.email you@example.com"};
  }
}

void examine_repository(Diagnosis& diagnosis, const git::Repository& repository) {
  const auto add = [&](CheckStatus status, std::string message) {
    diagnosis.checks.push_back({"repository", status, std::move(message), {}});
  };
  const std::vector<std::string> reasons = repository.unsupported();
  for (const std::string& reason : reasons) add(CheckStatus::fail, printable(reason));
  const fs::path worktree = repository.worktree();
  for (const BaseMount& mount : find_base_mounts(worktree)) {
    diagnosis.checks.push_back(check_base_mount(worktree, mount));
  }
  if (reasons.empty()) {
    add(CheckStatus::ok, in_quotes(repository.worktree().string()) + " can be a base");
  }
}

void examine_git(Diagnosis& diagnosis, const fs::path& directory) {
  auto& checks = diagnosis.checks;
  if (!is_below_a_repository(directory)) {
    checks.push_back(check_identity(git::default_identity));
    checks.push_back(
        {"repository", CheckStatus::ok, "not inside a Git repository: none examined", {}});
    return;
  }
  try {
    const git::Repository repository = git::Repository::open_here(directory);
    checks.push_back(check_identity([&](auto role) { return repository.identity(role); }));
    examine_repository(diagnosis, repository);
  } catch (const Error& error) {
    checks.push_back(
        {"repository", CheckStatus::fail, printable(error.message()), printable(error.hint())});
  }
}

}  // namespace

Diagnosis diagnose(const fs::path& state_dir, const fs::path& directory) {
  Diagnosis diagnosis;
  try {
    require_own_state(state_dir);
    const StateDirectory state(state_dir);
    choose(diagnosis, state_dir, obstacles_of_checkout(directory));
    examine_host(diagnosis, state_dir);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::refused) throw;
    diagnosis.verdict = "wafers add can't keep its state";
    diagnosis.checks.push_back({"state-directory", CheckStatus::fail, printable(error.message()),
                                printable(error.hint())});
  }
  examine_git(diagnosis, directory);
  return diagnosis;
}

}  // namespace wafers
