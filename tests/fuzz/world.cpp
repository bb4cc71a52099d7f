#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "apply.h"
#include "base/fd.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"
#include "tree.h"

namespace wafers::fuzz {
namespace {

using test::read_file;
using test::run;
using test::run_ok;
using test::RunOptions;
using test::RunResult;
using test::write_file;

namespace fs = std::filesystem;

constexpr const char* kWafer = "fz";
constexpr int kUnsupported = 5;  ///< what wafers exits with where the host can't
/// Long ago, and each round's files younger than the last one's.
constexpr std::int64_t kFirstTime = 1'000'000'000;
constexpr std::int64_t kRoundTime = 100'000;

std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string differing(const std::string& what, const std::string& expected,
                      const std::string& actual) {
  return what + "\n--- git\n" + expected + "--- wafers\n" + actual;
}

/// Whether `all` has the lines of `some`, in their order.
bool has_all_lines(const std::string& some, const std::string& all) {
  std::istringstream wanted(some);
  std::istringstream there(all);
  std::string line;
  for (std::string found; std::getline(wanted, line);) {
    do {
      if (!std::getline(there, found)) return false;
    } while (found != line);
  }
  return true;
}

}  // namespace

void make_templates(const fs::path& directory) {
  test::use_hermetic_git();
  run_ok({"git", "init", "-q", "--template=", "-b", "main", directory / "empty"});
  run_ok({"git", "init", "-q", "--template=", "-b", "main", directory / "unborn"});
  run_ok({"git", "-C", directory / "empty", "config", "gc.auto", "0"});
  const fs::path one = directory / "one";
  run_ok({"git", "init", "-q", "--template=", "-b", "main", one});
  write_file(one / "f", "1\n");
  run_ok({"git", "-C", one, "add", "f"});
  run_ok({"git", "-C", one, "commit", "-qm", "1"});
  const std::string first = run_ok({"git", "-C", one, "rev-parse", "HEAD"});
  run_ok({"git", "-C", one, "commit", "-q", "--allow-empty", "-m", "2"});
  write_file(directory / "second", run_ok({"git", "-C", one, "rev-parse", "HEAD"}));
  run_ok({"git", "-C", one, "reset", "-q", without_newline(first)});
}

// --- making -------------------------------------------------------------------------------------

World::World(const Tools& tools, const Scenario& scenario, fs::path directory)
    : tools_(tools),
      directory_(std::move(directory)),
      base_(directory_ / "base"),
      copy_(directory_ / "copy"),
      base_git_(base_ / ".git"),
      copy_git_(copy_ / ".git"),
      real_times_(scenario.real_times),
      frozen_(scenario.frozen) {
  make_base(scenario.base);
  make_copy();
  if (!scenario.near.empty()) freeze_near(scenario.near);
  add_wafer();
  digest_ = digest_of_base();
}

World::~World() {
  if (added_) wafers({"rm", "--force", "--no-salvage", "--kill", kWafer});
}

void World::make_base(const std::vector<Operation>& operations) {
  const auto has = [&](std::string_view verb) {
    return std::any_of(operations.begin(), operations.end(),
                       [&](const Operation& operation) { return operation.verb == verb; });
  };
  linked_ = has("linked");
  if (linked_) {
    base_git_ = directory_ / "main/.git";
    copy_git_ = directory_ / "copy-main/.git";
    branch_ = "base";
  }
  fs::create_directories(base_git_.parent_path());
  fs::copy(tools_.repository / "empty/.git", base_git_, fs::copy_options::recursive);
  if (linked_) {
    git_ok(base_git_.parent_path(), {"commit", "-q", "--allow-empty", "-m", "root"});
    git_ok(base_git_.parent_path(), {"worktree", "add", "-q", "-b", branch_, base_});
  }
  Applier applier(base_, tools_.repository, real_times_ ? 0 : kFirstTime);
  std::vector<std::string> forced;
  std::vector<std::string> sparse;
  for (const Operation& operation : operations) {
    const auto& [verb, args] = operation;
    if (verb == "linked") continue;
    if (verb == "config") {
      configure(args.at(0), args.at(1));
    } else if (verb == "gitfile") {
      write_file(base_git_ / args.at(0), args.at(1));
    } else if (verb == "absorbed") {
      absorb(args.at(0));
    } else if (verb == "forced") {
      forced.push_back(args.at(0));
    } else if (verb == "sparse") {
      sparse = args;
    } else {
      applier.apply(operation);
    }
  }
  commit_base(forced, sparse);
}

void World::configure(const std::string& key, const std::string& value) const {
  const std::size_t dot = key.rfind('.');
  const std::size_t first = key.find('.');
  std::string section = key.substr(0, first);
  if (first != dot) section += " " + quote(key.substr(first + 1, dot - first - 1));
  const bool in_git = value.starts_with("@/");
  const std::string path = in_git ? base_git_.native() + value.substr(1) : value;
  write_file(base_git_ / "config", read_file(base_git_ / "config") + "[" + section + "]\n\t" +
                                       key.substr(dot + 1) + " = " + quote(path) + "\n");
}

/// As `git submodule absorbgitdirs`.
void World::absorb(const std::string& path) const {
  const fs::path inner = base_ / path / ".git";
  if (linked_ || !fs::is_directory(inner)) return;
  fs::create_directories(base_git_ / "modules");
  fs::rename(inner, base_git_ / "modules/s");
  write_file(inner,
             "gitdir: " + fs::relative(base_git_ / "modules/s", base_ / path).native() + "\n");
}

void World::commit_base(const std::vector<std::string>& forced,
                        const std::vector<std::string>& sparse) {
  const RunResult added = git(base_, {"add", "-A"});
  if (!added.ok()) throw Unusable{"git add: " + added.err};
  for (const std::string& path : forced) {
    git(base_, {"--literal-pathspecs", "add", "-f", "--", path});
  }
  git_ok(base_, {"commit", "-q", "--allow-empty", "-m", "base"});
  sparse_ = !sparse.empty();
  if (!sparse_) return;
  std::vector<std::string> set{"sparse-checkout", "set", "--no-cone"};
  set.insert(set.end(), sparse.begin(), sparse.end());
  const RunResult done = git(base_, set);
  if (!done.ok()) throw Unusable{"git sparse-checkout: " + done.err};
}

void World::make_copy() {
  run_ok({"cp", "-a", base_, copy_});
  if (linked_) {
    run_ok({"cp", "-a", base_git_.parent_path(), copy_git_.parent_path()});
    write_file(copy_ / ".git", "gitdir: " + (copy_git_ / "worktrees/base").native() + "\n");
    write_file(copy_git_ / "worktrees/base/gitdir", (copy_ / ".git").native() + "\n");
  }
  if (frozen_) check_out_copy_afresh();
  // Gives the copy's index the copy's stat data.
  const RunResult status = git(copy_, {"status", "--porcelain"});
  if (!status.ok()) throw Unusable{"git status: " + status.err};
  if (!status.out.empty()) throw Unusable{"not clean:\n" + status.out};
}

/// What a frozen base shows: each tracked file as git writes it where there is nothing yet, outside
/// of a sparse checkout too, and then the ignored ones.
void World::check_out_copy_afresh() const {
  std::istringstream tracked(git_ok(copy_, {"ls-files", "-z"}));
  for (std::string path; std::getline(tracked, path, '\0');) fs::remove_all(copy_ / path);
  if (sparse_) git_ok(copy_, {"sparse-checkout", "disable"});
  const fs::path ignored = directory_ / "ignored";
  fs::create_directory(ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(copy_)) {
    const fs::path name = entry.path().filename();
    if (name != ".git") fs::rename(entry, ignored / name);
  }
  git_ok(copy_, {"read-tree", "--empty"});
  git_ok(copy_, {"reset", "-q", "--hard"});
  run_ok({"cp", "-a", "--no-clobber", ignored / ".", copy_});
  if (real_times_) return;
  const std::array<timespec, 2> times{timespec{.tv_sec = kFirstTime, .tv_nsec = 0},
                                      timespec{.tv_sec = kFirstTime, .tv_nsec = 0}};
  tracked.clear();
  tracked.seekg(0);
  for (std::string path; std::getline(tracked, path, '\0');) {
    ::utimensat(AT_FDCWD, (copy_ / path).c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  }
}

void World::freeze_near(const std::vector<Operation>& operations) const {
  const fs::path near = directory_ / "near";
  git_ok(base_, {"worktree", "add", "-q", "--detach", near});
  Applier applier(near, tools_.repository, 0);
  for (const Operation& operation : operations) applier.apply(operation);
  const RunResult added = git(near, {"add", "-A", "--sparse"});
  if (!added.ok()) throw Unusable{"git add: " + added.err};
  git_ok(near, {"commit", "-q", "--allow-empty", "-m", "near"});
  const std::string commit = without_newline(git_ok(near, {"rev-parse", "HEAD"}));
  git_ok(base_, {"worktree", "remove", "--force", near});
  const RunResult frozen = wafers({"freeze", commit, "--from", base_});
  if (!frozen.ok()) throw Mismatch{"wafers freeze: " + frozen.err};
}

void World::add_wafer() {
  const RunResult added = wafers({"add", kWafer, "--from", base_, "--backend", tools_.backend,
                                  frozen_ ? "--frozen" : "--live"});
  if (added.ok()) {
    added_ = true;
    return;
  }
  if (added.status == kUnsupported) throw Unsupported{added.err};
  // What isn't tracked shows in views, whatever status.showUntrackedFiles says.
  const RunResult status = git(base_, {"status", "--porcelain", "--untracked-files=normal"});
  const bool clean = status.ok() && status.out.empty();
  if (clean) throw Mismatch{"wafers add refuses a clean base:\n" + added.err};
  throw Unusable{"not clean:\n" + status.out};
}

// --- playing ------------------------------------------------------------------------------------

void World::play(const Round& round) {
  ++round_;
  move(round.moves);
  disturb(round.before);
  apply(round.operations);
  compare_status("before the commit");
  compare_commit(round);
  compare_status("after the commit");
  compare_base();
}

void World::move(const std::vector<Operation>& moves) {
  if (moves.empty()) return;
  moved_ = true;
  Applier applier(base_, tools_.repository, 0);
  for (const Operation& operation : moves) {
    const auto& [verb, args] = operation;
    if (verb == "git") {
      git(base_, args);
    } else if (verb == "wafers") {
      digest_ = digest_of_base();
      const RunResult done = wafers_in(base_, args);
      if (!done.ok() && git_can_check_out()) {
        throw Mismatch{"wafers " + args.at(0) + ": " + done.err};
      }
      compare_base();
    } else {
      applier.apply(operation);
    }
  }
  digest_ = digest_of_base();
}

/// Not every commit: a symlink .gitmodules, say.
bool World::git_can_check_out() const {
  const fs::path trial = directory_ / "trial";
  const bool can = git(base_, {"worktree", "add", "-q", "--detach", trial}).ok();
  git(base_, {"worktree", "remove", "--force", trial});
  return can;
}

void World::disturb(Before before) {
  if (before == Before::kill) kill_holder();
  if (before == Before::umount) {
    const RunResult done = wafers({"umount", kWafer});
    if (!done.ok()) throw Mismatch{"wafers umount: " + done.err};
  }
}

/// Nobody holds a view of the host backend; it is unmounted instead.
void World::kill_holder() {
  const auto list = nlohmann::json::parse(wafers({"ls", "--json"}).out);
  const nlohmann::json& pid = list.at("wafers").at(0).at("holder_pid");
  if (pid.is_null()) return disturb(Before::umount);
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid.get<pid_t>(), 0)));
  if (!process) return;
  ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
}

void World::apply(const std::vector<Operation>& operations) {
  const std::int64_t first = real_times_ ? 0 : kFirstTime + round_ * kRoundTime;
  std::string text;
  for (const Operation& operation : operations) text += to_text(operation) + "\n";
  write_file(directory_ / "operations", text);
  const std::vector<std::string> applier{
      tools_.self,       "--apply",      directory_ / "operations", "--templates",
      tools_.repository, "--first-time", std::to_string(first)};
  std::vector<std::string> in_view{"exec", kWafer, "--"};
  in_view.insert(in_view.end(), applier.begin(), applier.end());
  const RunResult inside = wafers(in_view);
  if (!inside.ok()) throw Mismatch{"wafers exec: " + inside.err};
  // In a namespace root has no capabilities: it can't write what is read-only.
  std::vector<std::string> argv;
  if (::geteuid() == 0 && tools_.backend == "namespace") {
    argv = {"setpriv", "--inh-caps=-all", "--bounding-set=-all"};
  }
  argv.insert(argv.end(), applier.begin(), applier.end());
  const RunResult outside = run(argv, {.cwd = copy_});
  if (!outside.ok()) throw std::runtime_error("the applier: " + outside.err);
  if (inside.out != outside.out) {
    throw Mismatch{differing("the view shows something else", outside.out, inside.out)};
  }
}

/// What git says once it has to read every file. Its stat cache hides a file that new attributes
/// change, if an earlier `git status` has found it unchanged; without that it would be told of.
std::string World::status_without_stat_data() const {
  const std::string index = "GIT_INDEX_FILE=" + (directory_ / "without-stat-data").native();
  const std::string entries = git_ok(copy_, {"ls-files", "--stage", "-z"});
  const RunOptions options{.environment = {index}, .input = entries};
  if (!git(copy_, {"update-index", "-z", "--index-info"}, options).ok()) return {};
  const std::string status =
      git(copy_, {"status", "--porcelain"}, {.environment = {index}, .input = {}}).out;
  std::filesystem::remove(directory_ / "without-stat-data");
  return status;
}

void World::compare_status(const char* when) {
  const RunResult theirs = git(copy_, {"status", "--porcelain"});
  const RunResult ours = wafers({"git-status", kWafer, "--porcelain"});
  // git can't tell of names below a symlink to itself, and leaves them as they were.
  if (theirs.err.find(::strerror(ELOOP)) != std::string::npos) throw Unusable{theirs.err};
  if (!theirs.ok()) return;  // a submodule that is none any more, a filter that fails
  if (!ours.ok()) throw Mismatch{std::string("git-status ") + when + ": " + ours.out + ours.err};
  if (theirs.out != ours.out) {
    // Of each file either answer is git's.
    if (has_all_lines(theirs.out, ours.out) &&
        has_all_lines(ours.out, status_without_stat_data())) {
      throw Unusable{"git goes by its stat cache"};
    }
    throw Mismatch{differing(std::string("status ") + when, theirs.out, ours.out)};
  }
}

void World::compare_commit(const Round& round) {
  // --sparse: what lies outside of a sparse checkout is work like other work.
  std::vector<std::string> add{"--literal-pathspecs", "add", "-A", "--sparse"};
  std::vector<std::string> commit{"git-commit", kWafer, "--json", "--allow-empty", "-m", "round"};
  if (round.inside)
    commit = {"exec",   kWafer,          "--", tools_.wafers, "git-commit",
              "--json", "--allow-empty", "-m", "round"};
  if (!round.paths.empty()) {
    for (auto* arguments : {&add, &commit}) {
      arguments->emplace_back("--");
      arguments->insert(arguments->end(), round.paths.begin(), round.paths.end());
    }
  }
  const bool patch_wanted = round.patch && round.paths.empty();
  const std::string tip = tip_of_wafer();
  const RunResult patch =
      patch_wanted ? wafers({"git-diff", kWafer, "--uncommitted"}) : RunResult{};
  const RunResult theirs = git(copy_, add);
  // A submodule whose .git is a broken file: git dies of it, wafers leaves the submodule as it was.
  if (theirs.err.find("invalid gitfile format") != std::string::npos) throw Unusable{theirs.err};
  const RunResult ours = wafers(commit);
  if (!ours.ok()) {
    refused_commit(round, theirs, ours, tip);
    return;
  }
  if (!theirs.ok() && round.paths.empty()) {
    throw Mismatch{"git add refuses and wafers doesn't:\n" + theirs.err + ours.out};
  }
  // Of paths git has now added those that it didn't mind, if there were any.
  const std::string tree = nlohmann::json::parse(ours.out).at("tree");
  git_ok(copy_, {"commit", "-q", "--allow-empty", "-m", "round"});
  if (tip_of_copy() != tip_of_wafer()) {
    const std::string wanted = git_ok(copy_, {"rev-parse", "HEAD^{tree}"});
    throw Mismatch{wanted == tree + "\n"
                       ? "the same tree in another commit"
                       : differing("tree", git_ok(copy_, {"ls-tree", "-r", "HEAD"}),
                                   git_ok(base_, {"ls-tree", "-r", tree}))};
  }
  if (!patch_wanted) return;
  if (!patch.ok()) throw Mismatch{"git-diff: " + patch.err};
  compare_patch(patch.out, tip, tree);
}

/// wafers refuses what git refuses, and paths that change nothing: ignored ones, `dir/.git`.
void World::refused_commit(const Round& round, const RunResult& theirs, const RunResult& ours,
                           const std::string& tip) {
  if (tip_of_wafer() != tip) throw Mismatch{"a refused commit moved the branch"};
  const bool changes_nothing =
      !round.paths.empty() && git(copy_, {"diff", "--cached", "--quiet"}).ok();
  if (theirs.ok() && !changes_nothing && !adds_nothing_of_some(round)) {
    throw Mismatch{"wafers refuses and git doesn't:\n" + ours.out + ours.err};
  }
  git_ok(copy_, {"reset", "-q"});
}

/// Of a path that is there git may have nothing to add, and says nothing: all of it is ignored, or
/// it is an empty directory. wafers refuses such a path.
bool World::adds_nothing_of_some(const Round& round) const {
  return std::any_of(round.paths.begin(), round.paths.end(), [&](const std::string& path) {
    return fs::exists(fs::symlink_status(copy_ / path)) &&
           git_ok(copy_, {"--literal-pathspecs", "ls-files", "--", path}).empty();
  });
}

void World::compare_patch(const std::string& patch, const std::string& tip,
                          const std::string& tree) {
  const std::string index = "GIT_INDEX_FILE=" + (directory_ / "patched").native();
  const RunOptions options{.environment = {index}, .input = patch};
  const RunResult read = git(copy_, {"read-tree", tip}, options);
  if (!read.ok()) throw Unusable{"git read-tree: " + read.err};  // a symlink .gitmodules
  if (!patch.empty()) {                                          // git apply wants a patch
    const RunResult applied =
        git(copy_, {"apply", "--cached", "--whitespace=nowarn", "-"}, options);
    if (!applied.ok()) {
      // git refuses some of its own: a symlink in a directory .gitmodules.
      const std::string own = git_ok(copy_, {"diff", "--binary", tip, tree});
      const RunOptions again{.environment = {index}, .input = own};
      if (!git(copy_, {"apply", "--cached", "-"}, again).ok()) return;
      throw Mismatch{"git apply: " + applied.err + patch};
    }
  }
  const RunResult written = git(copy_, {"write-tree"}, options);
  if (written.out != tree + "\n") {
    throw Mismatch{differing("the patch makes another tree",
                             git_ok(copy_, {"diff", "--raw", tree, without_newline(written.out)}),
                             patch)};
  }
}

void World::compare_base() const {
  const std::string now = digest_of_base();
  if (now != digest_) throw Mismatch{differing("the base has changed", digest_, now)};
}

void World::compare_objects() const {
  const std::vector<std::string> check{"fsck", "--strict", "--no-dangling"};
  const RunResult checked = git(base_, check);
  if (checked.ok() || !git(copy_, check).ok()) return;
  if (moved_) {  // the checkout's own commits may be what git complains of
    const fs::path clone = directory_ / "clone";
    git_ok(directory_, {"clone", "-q", "--bare", "--no-local", "--single-branch", "--branch",
                        std::string("wafers/") + kWafer, base_, clone});
    if (git(clone, check).ok()) return;
  }
  throw Mismatch{"git fsck:\n" + checked.out + checked.err};
}

void World::finish() {
  const RunResult unmounted = wafers({"umount", kWafer});
  if (!unmounted.ok()) throw Mismatch{"wafers umount: " + unmounted.err};
  compare_status("unmounted");
  compare_objects();
  const RunResult removed = wafers({"rm", "--force", "--no-salvage", kWafer});
  added_ = false;
  if (!removed.ok()) throw Mismatch{"wafers rm: " + removed.err};
  compare_base();
}

// --- asking -------------------------------------------------------------------------------------

RunResult World::git(const fs::path& where, std::vector<std::string> arguments,
                     const RunOptions& options) const {
  std::vector<std::string> argv{"git", "-C", where};
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()),
              std::make_move_iterator(arguments.end()));
  return run(argv, options);
}

std::string World::git_ok(const fs::path& where, std::vector<std::string> arguments) const {
  const std::string command = arguments.at(0);
  RunResult result = git(where, std::move(arguments));
  if (!result.ok()) throw std::runtime_error("git " + command + ": " + result.err);
  return std::move(result.out);
}

RunResult World::wafers(std::vector<std::string> arguments) const {
  return wafers_in(directory_, std::move(arguments));
}

RunResult World::wafers_in(const fs::path& where, std::vector<std::string> arguments) const {
  std::vector<std::string> argv{tools_.wafers};
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()),
              std::make_move_iterator(arguments.end()));
  return run(
      argv, {.cwd = where, .environment = {"WAFERS_STATE_DIR=" + (directory_ / "state").native()}});
}

std::string World::tip_of_copy() const {
  return without_newline(read_file(copy_git_ / "refs/heads" / branch_));
}

std::string World::tip_of_wafer() const {
  return without_newline(read_file(base_git_ / "refs/heads/wafers" / kWafer));
}

std::string World::digest_of_base() const {
  const fs::path own = linked_ ? base_git_ / "worktrees/base" : base_git_;
  return listing(base_, Inner::list) + read_file(own / "HEAD") + read_file(own / "index") +
         read_file(base_git_ / "config");
}

}  // namespace wafers::fuzz
