#include "hand_made_view.h"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <system_error>

#include "base/fd.h"
#include "core/git_commands/diff.h"
#include "linux/upper.h"
#include "os/spawn.h"
#include "support/run.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

constexpr UpperDialect kDialect = UpperDialect::kernel_user;

UniqueFd open_directory(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw std::runtime_error("cannot open " + path.native());
  return fd;
}

void run_here(const std::string& script, const fs::path& where, const fs::path& scratch) {
  const RunResult result =
      run_script(script, {.cwd = where, .environment = {"SCRATCH=" + scratch.native()}});
  if (!result.ok()) throw std::runtime_error(script + "\n" + result.err);
}

/// A broken symlink exists, too.
bool is_there(const fs::path& path) {
  return fs::symlink_status(path).type() != fs::file_type::not_found;
}

bool is_real_directory(const fs::path& path) { return fs::is_directory(fs::symlink_status(path)); }

}  // namespace

HandMadeView::HandMadeView(const std::string& base)
    : base_(GitRepo::init(scratch_ / "base")), copy_(scratch_ / "copy") {
  run_here(base, base_.path(), scratch_.path());
  wafer_.base_commit = wafer_.checkout_commit = base_.commit_all("base");
  run_ok({"cp", "-a", base_.path(), copy_.path()});
  copy_.git({"status"});  // the copies' stat data, as a checkout would have it
  base_.git({"branch", "wafers/test"});
  wafer_.name = "test";
  wafer_.branch = "wafers/test";
  wafer_.checkout = base_.path();
  wafer_.layers = {wafer_.checkout};
  wafer_.last_commit = wafer_.base_commit;
  wafer_.dialect = kDialect;
  wafer_.directory = scratch_ / "state";
  wafer_.mountpoint = scratch_ / "state/mnt";
  fs::create_directories(upper());
  make_whiteout(open_directory(upper()).get(), ".git", kDialect);
}

void HandMadeView::copy_up(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty() && !is_real_directory(upper() / parent)) copy_up(parent);
  const fs::path target = upper() / path;
  fs::remove_all(target);
  const bool in_base = is_there(base_ / path);
  if (!is_there(copy_ / path)) {
    if (in_base) {
      const std::string name = fs::path(path).filename();
      make_whiteout(open_directory(target.parent_path()).get(), name, kDialect);
    }
    return;
  }
  if (!is_real_directory(copy_ / path)) {
    run_ok({"cp", "-a", copy_ / path, target});
    return;
  }
  fs::create_directory(target);
  if (in_base && !is_real_directory(base_ / path)) {
    make_opaque(open_directory(target).get(), kDialect);
  }
}

void HandMadeView::write(const std::string& path, std::string_view content) {
  copy_.write(path, content);
  copy_up(path);
}

void HandMadeView::remove(const std::string& path) {
  fs::remove_all(copy_ / path);
  copy_up(path);
}

void HandMadeView::make_directory(const std::string& path) {
  fs::create_directories(copy_ / path);
  copy_up(path);
}

void HandMadeView::make_executable(const std::string& path) {
  fs::permissions(copy_ / path, fs::perms::owner_exec, fs::perm_options::add);
  copy_up(path);
}

void HandMadeView::make_symlink(const std::string& path, const std::string& target) {
  fs::remove(copy_ / path);
  fs::create_symlink(target, copy_ / path);
  copy_up(path);
}

void HandMadeView::run_in_copy(const std::string& script, const std::vector<std::string>& changed) {
  run_here(script, copy_.path(), scratch_.path());
  for (const std::string& path : changed) copy_up(path);
}

void HandMadeView::configure(const std::string& key, const std::string& value) {
  for (const GitRepo* repo : {&base_, &copy_}) repo->git({"config", key, value});
}

Snapshot HandMadeView::snapshot(SnapshotPurpose purpose) const {
  return snapshot(purpose, [](SnapshotInput&) {});
}

Snapshot HandMadeView::snapshot(SnapshotPurpose purpose,
                                const std::function<void(SnapshotInput&)>& change) const {
  const WaferGit git = open_wafer_git(wafer_);
  const auto objects = git.repository.objects(git::Writes::to_memory);
  SnapshotInput input = snapshot_input(wafer_, git, *objects, purpose);
  change(input);
  return take_snapshot(input);
}

std::string HandMadeView::status() const {
  std::string text;
  for (const std::string& line : status_of_view(wafer_).lines) text += line + "\n";
  return text;
}

CommitResult HandMadeView::commit(const CommitRequest& request) {
  CommitResult result = commit_view(wafer_, request, [](const std::string&) {});
  wafer_.last_commit = result.commit;
  return result;
}

CommitResult HandMadeView::commit(const std::string& message) {
  CommitRequest request;
  request.messages = {message};
  return commit(request);
}

std::string HandMadeView::diff(const DiffRequest& request) const {
  const DiffProgram program(wafer_, request);
  Command command = program.command();
  command.descriptors.clear();
  CommandResult result = run_command(command);
  if (!result.status.success()) throw std::runtime_error(result.output);
  return std::move(result.output);
}

std::string HandMadeView::git_commit() {
  copy_.git({"add", "-A"});
  copy_.git({"commit", "-q", "--allow-empty", "-m", "test"});
  return copy_.head_tree();
}

std::string HandMadeView::git_show(const std::string& commit_and_path) const {
  return base_.git({"show", commit_and_path});
}

}  // namespace wafers::test
