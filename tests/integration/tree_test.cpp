// After every kind of operation in a view, the tree committed must be what `git add -A && git
// write-tree` gives in a plain copy with the same content, and the status what git prints there.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/git_commands/commit.h"
#include "core/git_commands/status.h"
#include "linux/upper.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"
#include "tree_cases.h"
#include "tree_view.h"

namespace {

using wafers::UpperDialect;
using wafers::test::GitRepo;
using wafers::test::run_ok;
using wafers::test::run_script;
using wafers::test::RunResult;
using wafers::test::TempDir;
using wafers::test::TreeCase;
using wafers::test::View;

void run_steps(const std::string& script, const std::filesystem::path& where,
               const TempDir& scratch) {
  const RunResult result =
      run_script(script, {.cwd = where, .environment = {"SCRATCH=" + scratch.path().native()}});
  INFO(script);
  INFO(result.err);
  REQUIRE(result.ok());
}

std::string lines_of(const wafers::StatusResult& status) {
  std::string text;
  for (const std::string& line : status.lines) text += line + "\n";
  return text;
}

/// One case on one kind of view: the base, a view of it, and the plain copy that git works in.
class Comparison {
 public:
  Comparison(const TreeCase& test, UpperDialect dialect) : test_(test), dialect_(dialect) {
    run_steps(test.base, base_.path(), scratch_);
    base_.commit_all("base");
    REQUIRE(base_.git({"status", "--porcelain"}).empty());
    run_ok({"cp", "-a", base_.path(), plain_.path()});
    plain_.git({"status"});  // the copies' stat data, as a checkout would have it
    base_.git({"branch", "wafers/test"});
    wafer_.name = "test";
    wafer_.branch = "wafers/test";
    wafer_.checkout = base_.path();
    wafer_.layers = {wafer_.checkout};
    wafer_.base_commit = base_.head();
    wafer_.last_commit = wafer_.base_commit;
    wafer_.dialect = dialect;
    wafer_.directory = scratch_ / "state";
    wafer_.mountpoint = scratch_ / "state/view";
    view_ = wafers::test::make_view(dialect, base_.path(), wafer_.directory, test.forged);
  }

  void round(const std::string& steps, const std::vector<std::string>& paths) {
    run_steps(steps, view_->mountpoint(), scratch_);
    run_steps(steps, plain_.path(), scratch_);
    if (!test_.forged.empty()) {
      copy_view();
      if (test_.refused && dialect_ != UpperDialect::fuse) return refused_view();
    } else if (dialect_ == UpperDialect::fuse && !test_.fuse_shows_otherwise.empty()) {
      copy_view();
    }
    view_->flush();
    compare_status();
    compare_commit(paths);
  }

  /// fuse-overlayfs can't do what the steps ask for; should a later one be able to, this says so.
  void refused_steps(const std::string& steps) {
    CHECK_FALSE(run_script(steps, {.cwd = view_->mountpoint()}).ok());
  }

  void unmounted() {
    if (!test_.forged.empty() && test_.refused && dialect_ != UpperDialect::fuse) return;
    const std::string mounted = lines_of(status_of_view(wafer_));
    view_->unmount();
    CHECK(lines_of(status_of_view(wafer_)) == mounted);
  }

 private:
  /// What the view shows replaces what the steps made of the plain copy.
  void copy_view() {
    const std::string script =
        "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +\n"
        "cp -a \"$VIEW\"/. .";
    run_script(script,
               {.cwd = plain_.path(), .environment = {"VIEW=" + view_->mountpoint().native()}});
  }

  /// Neither the overlay nor we can say what is there.
  void refused_view() {
    CHECK_FALSE(
        run_script("find . -type f -exec cat {} + > /dev/null", {.cwd = view_->mountpoint()}).ok());
    CHECK_THROWS_AS(commit({}), wafers::Error);
    CHECK(base_.git_line({"rev-parse", "wafers/test"}) == wafer_.last_commit);
  }

  wafers::CommitResult commit(const std::vector<std::string>& paths) {
    wafers::CommitRequest request;
    request.messages = {"round"};
    request.paths = paths;
    request.allow_empty = true;
    return commit_view(wafer_, request,
                       [this](const std::string& commit) { wafer_.pending_commit = commit; });
  }

  void compare_status() {
    if (!test_.status_differs.empty()) return;
    CHECK(lines_of(status_of_view(wafer_)) == plain_.git({"status", "--porcelain"}));
  }

  void compare_commit(const std::vector<std::string>& paths) {
    std::vector<std::string> add{"add", "-A"};
    if (!paths.empty()) add.emplace_back("--");
    add.insert(add.end(), paths.begin(), paths.end());
    const RunResult added = plain_.try_git(add);
    INFO(added.err);
    const bool refused = test_.refused && test_.forged.empty();
    REQUIRE(added.ok() == !refused);
    if (refused) {
      CHECK_THROWS_AS(commit(paths), wafers::Error);
      CHECK(base_.git_line({"rev-parse", "wafers/test"}) == wafer_.last_commit);
      return;
    }
    const std::string tree = plain_.git_line({"write-tree"});
    const wafers::CommitResult result = commit(paths);
    wafer_.last_commit = result.commit;
    if (result.tree != tree) {
      FAIL("git has\n"
           << plain_.git({"ls-tree", "-r", tree}) << "wafers has\n"
           << base_.git({"ls-tree", "-r", result.tree}));
    }
    plain_.git({"commit", "-q", "--allow-empty", "-m", "round"});
    CHECK(base_.git_line({"rev-parse", "wafers/test"}) == result.commit);
    compare_status();
  }

  const TreeCase& test_;
  UpperDialect dialect_;
  TempDir scratch_;
  GitRepo base_ = GitRepo::init(scratch_ / "base");
  GitRepo plain_{scratch_ / "plain"};
  wafers::Wafer wafer_;
  std::unique_ptr<View> view_;
};

void run_table(UpperDialect dialect) {
  static const wafers::test::Ability ability = wafers::test::prepare_views(dialect);
  if (!ability.can) {
    const char* must = std::getenv("WAFERS_TESTS_MUST_RUN");
    const bool impossible = dialect == UpperDialect::kernel_trusted && ::geteuid() != 0;
    std::fprintf(stderr, "skipped: no %s views here: %s\n", std::string(to_string(dialect)).c_str(),
                 ability.why_not.c_str());
    if (must != nullptr && std::string(must) == "1" && !impossible) FAIL(ability.why_not);
    std::exit(77);  // CTest's SKIP_RETURN_CODE
  }
  static const std::vector<TreeCase> cases = wafers::test::tree_cases();
  for (const TreeCase& test : cases) {
    DYNAMIC_SECTION(test.name) {
      Comparison comparison(test, dialect);
      if (dialect == UpperDialect::fuse && !test.fuse_refuses.empty()) {
        comparison.refused_steps(test.steps);
        continue;
      }
      comparison.round(test.steps, test.paths);
      if (!test.later.empty()) comparison.round(test.later, {});
      comparison.unmounted();
    }
  }
}

}  // namespace

// Each in a process of its own (see CMakeLists.txt): the kernel's need namespaces in which
// fuse-overlayfs could not be mounted.
TEST_CASE("views of fuse-overlayfs commit what git would", "[fuse]") {
  run_table(UpperDialect::fuse);
}

TEST_CASE("views of the kernel with user attributes commit what git would", "[kernel-user]") {
  run_table(UpperDialect::kernel_user);
}

TEST_CASE("views of the kernel with trusted attributes commit what git would", "[kernel-trusted]") {
  run_table(UpperDialect::kernel_trusted);
}
