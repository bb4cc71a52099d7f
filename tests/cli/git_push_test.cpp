// Pushing, into real bare repositories.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// A world with a wafer `a` that has a commit of its own, and the bare repository `remote.git`.
class Remote {
 public:
  Remote() {
    world_.base().git({"init", "-q", "--bare", path("remote.git")});
    world_.add("a", any_backend());
    commit("one");
  }

  const World& world() const { return world_; }
  std::string path(const std::string& name) const { return (world_ / name).native(); }
  void add(const std::string& name) const {
    world_.base().git({"remote", "add", name, path("remote.git")});
  }
  void commit(const std::string& content) const {
    world_.inside("a", "echo " + content + " > README");
    world_.wafers_ok({"git-commit", "a", "-m", content});
  }
  std::string tip() const { return world_.base().git_line({"rev-parse", "wafers/a"}); }
  /// What the remote has at the branch; empty for nothing.
  std::string pushed(const std::string& branch = "wafers/a") const {
    const GitRepo remote(path("remote.git"));
    return remote.try_git({"rev-parse", "-q", "--verify", "refs/heads/" + branch})
        .out.substr(0, 40);
  }
  std::string config(const std::string& key) const {
    std::string value = world_.base().try_git({"config", key}).out;
    if (value.ends_with('\n')) value.pop_back();
    return value;
  }
  /// HEAD, index and worktree of the base.
  std::string base_state() const {
    return world_.base().git({"status", "--porcelain=v2", "--branch"}) +
           read_file(world_.base() / ".git/index") + read_file(world_.base() / ".git/HEAD");
  }

 private:
  World world_;
};

TEST_CASE("git-push brings the branch to the only remote, and sets its upstream") {
  const Remote remote;
  remote.add("somewhere");
  const std::string before = remote.base_state();
  const RunResult result = remote.world().wafers({"git-push", "a"});
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("wafers/a -> wafers/a"));
  CHECK(remote.pushed() == remote.tip());
  CHECK(remote.config("branch.wafers/a.remote") == "somewhere");
  CHECK(remote.config("branch.wafers/a.merge") == "refs/heads/wafers/a");
  CHECK(remote.base_state() == before);
  CHECK(remote.world().wafers({"git-push", "a"}).status == 0);
}

TEST_CASE("git-push works from inside a wafer, without its name") {
  const Remote remote;
  remote.add("origin");
  remote.world().inside("a", "'" WAFERS_PROGRAM "' git-push");
  CHECK(remote.pushed() == remote.tip());
  remote.commit("two");
  remote.world().inside("a", "'" WAFERS_PROGRAM "' git-push origin");
  CHECK(remote.pushed() == remote.tip());
}

TEST_CASE("git-push takes the remote that git would take") {
  const Remote remote;
  const World& world = remote.world();
  remote.add("origin");
  const auto pushes_to = [&](const std::string& name) {
    world.base().git({"update-ref", "-d", "refs/remotes/" + name + "/wafers/a"});
    world.wafers_ok({"git-push", "a"});
    return world.base()
        .try_git({"rev-parse", "-q", "--verify", "refs/remotes/" + name + "/wafers/a"})
        .ok();
  };
  remote.add("second");
  remote.add("third");
  CHECK(pushes_to("origin"));
  CHECK_FALSE(pushes_to("second"));
  world.base().git({"config", "branch.wafers/a.remote", "second"});
  CHECK(pushes_to("second"));
  world.base().git({"config", "remote.pushDefault", "third"});
  CHECK(pushes_to("third"));
  CHECK(remote.config("branch.wafers/a.remote") == "second");
  world.base().git({"config", "branch.wafers/a.pushRemote", "origin"});
  CHECK(pushes_to("origin"));
  world.wafers_ok({"git-push", "a", "third"});
  world.base().git({"config", "--unset-all", "branch.wafers/a.remote"});
  world.wafers_ok({"git-push", "a", remote.path("remote.git")});
}

TEST_CASE("git-push heeds the mappings of the remote") {
  const Remote remote;
  remote.add("origin");
  remote.world().base().git(
      {"config", "remote.origin.push", "refs/heads/wafers/*:refs/heads/agents/*"});
  remote.world().wafers_ok({"git-push", "a"});
  CHECK(remote.pushed().empty());
  CHECK(remote.pushed("agents/a") == remote.tip());
}

TEST_CASE("a push that is only tried") {
  const Remote remote;
  remote.add("origin");
  remote.world().wafers_ok({"git-push", "a", "--dry-run"});
  CHECK(remote.pushed().empty());
  CHECK(remote.config("branch.wafers/a.remote").empty());
}

TEST_CASE("a remote branch that went on is overwritten only where that was asked for") {
  const Remote remote;
  const World& world = remote.world();
  remote.add("origin");
  world.wafers_ok({"git-push", "a"});
  const auto move_remote = [&](const std::string& message) {
    const GitRepo bare(remote.path("remote.git"));
    const std::string commit =
        bare.git_line({"commit-tree", "wafers/a^{tree}", "-p", "wafers/a~1", "-m", message});
    bare.git({"update-ref", "refs/heads/wafers/a", commit});
    return commit;
  };
  const std::string theirs = move_remote("elsewhere");
  remote.commit("two");
  const RunResult rejected = world.wafers({"git-push", "a"});
  CHECK(rejected.status == 1);
  CHECK_THAT(rejected.err, Contains("rejected"));
  CHECK_THAT(rejected.err, Contains("wafers: cannot push branch 'wafers/a' to 'origin'"));
  // Nobody has seen that commit here.
  CHECK(world.wafers({"git-push", "a", "--force-with-lease"}).status == 1);
  CHECK(remote.pushed() == theirs);
  world.base().git({"fetch", "-q", "origin"});
  CHECK(world.wafers({"git-push", "a", "--force-with-lease"}).status == 0);
  CHECK(remote.pushed() == remote.tip());
}

TEST_CASE("git's own hook may refuse a push") {
  const Remote remote;
  remote.add("origin");
  const auto hook = remote.world().base() / ".git/hooks/pre-push";
  write_file(hook, "#!/bin/sh\necho said by the hook >&2\nexit 1\n");
  std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
  const RunResult result = remote.world().wafers({"git-push", "a"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("said by the hook"));
  CHECK(remote.pushed().empty());
}

TEST_CASE("git-push says what is wrong") {
  const Remote remote;
  const World& world = remote.world();
  const RunResult none = world.wafers({"git-push", "a"});
  CHECK(none.status == 1);
  CHECK_THAT(none.err, Contains("wafers: cannot push branch 'wafers/a': the repository has no "
                                "remote\nhint: add one with: git -C "));
  remote.add("one");
  remote.add("two");
  const RunResult several = world.wafers({"git-push", "a"});
  CHECK(several.status == 1);
  CHECK_THAT(several.err, Contains("several remotes"));
  CHECK_THAT(several.err, Contains("hint: name one of them: one, two\n"));
  const RunResult unknown = world.wafers({"git-push", "a", "three"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err == "wafers: there is no remote 'three'\nhint: the repository has: one, two\n");
  CHECK(world.wafers({"git-push", "a", "--", "--mirror"}).status == 2);
  CHECK(world.wafers({"git-push", "a", ""}).status == 2);
  CHECK(world.wafers({"git-push", "a", "one", "two"}).status == 2);
  CHECK(world.wafers({"git-push"}).status == 2);
  CHECK(world.wafers({"git-push", "none"}).status == 1);
  const RunResult nowhere = world.wafers({"git-push", "a", "file:///no/such/repository"});
  CHECK(nowhere.status == 1);
  world.base().git({"update-ref", "-d", "refs/heads/wafers/a"});
  const RunResult gone = world.wafers({"git-push", "a", "one"});
  CHECK(gone.status == 1);
  CHECK_THAT(gone.err, Contains("is gone"));
}

TEST_CASE("git-push pushes from the base, whatever repository the environment names") {
  const Remote remote;
  remote.add("origin");
  remote.world().wafers_ok(
      {"git-push", "a"},
      {.cwd = {},
       .environment = {"GIT_DIR=" + remote.path("remote.git"), "GIT_INDEX_FILE=/nowhere"},
       .input = {}});
  CHECK(remote.pushed() == remote.tip());
}

}  // namespace
}  // namespace wafers::test
