// The repository's hooks around a commit, in real views.

#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

void write_hook(const std::filesystem::path& hook, const std::string& script) {
  write_file(hook, "#!/bin/sh\nset -eu\n" + script + "\n");
  std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
}

/// A world with something to commit in the wafer `a`.
class Hooked {
 public:
  explicit Hooked(const std::string& backend = any_backend()) {
    world_.add("a", backend);
    world_.inside("a", "echo 2 > README; echo n > new");
  }
  const World& world() const { return world_; }
  void hook(const std::string& name, const std::string& script) const {
    write_hook(world_.base() / ".git/hooks" / name, script);
  }
  RunResult commit(Words options = {"--verify"}, const Words& environment = {}) const {
    options.insert(options.begin(), {"git-commit", "a", "-m", "subject"});
    return world_.wafers(options, {.cwd = {}, .environment = environment, .input = {}});
  }
  std::string log(const std::string& format) const {
    return world_.base().git_line({"log", "-1", "--format=" + format, "wafers/a"});
  }
  std::string path(const std::string& name) const { return (world_ / name).native(); }
  bool committed() const { return log("%s") != "base"; }

 private:
  World world_;
};

TEST_CASE("hooks run where they are wanted") {
  const Hooked hooked;
  hooked.hook("pre-commit", "exit 1");
  const std::string before = hooked.world().everything();
  const RunResult failed = hooked.commit();
  CHECK(failed.status == 1);
  CHECK_THAT(failed.err, Contains("wafers: the hook pre-commit ended with status 1: nothing was "
                                  "committed\nhint: --no-verify commits without hooks\n"));
  CHECK(hooked.world().everything() == before);
  hooked.world().base().git({"config", "wafers.verify", "true"});
  CHECK(hooked.commit({}).status == 1);
  CHECK_FALSE(hooked.committed());
  CHECK(hooked.commit({"--no-verify"}).status == 0);
  CHECK(hooked.committed());
  hooked.world().base().git({"config", "wafers.verify", "false"});
  CHECK(hooked.commit({"--allow-empty"}).status == 0);
  CHECK(hooked.commit({"--allow-empty", "-n"}).status == 0);
  CHECK(hooked.commit({"--verify", "--no-verify"}).status == 2);
}

TEST_CASE("a branch that moves while the commit is made is left where it is") {
  const Hooked hooked;
  const GitRepo& base = hooked.world().base();
  const std::string other =
      base.git_line({"commit-tree", "-p", "HEAD", "-m", "other", "HEAD^{tree}"});
  hooked.hook("pre-commit", "git update-ref refs/heads/wafers/a " + other);
  const RunResult result = hooked.commit();
  CHECK(result.status == 3);
  CHECK_THAT(result.err, Contains("is at " + other));
  CHECK(base.git_line({"rev-parse", "wafers/a"}) == other);
}

TEST_CASE("a hook sees the view, the index and the branch") {
  for (const std::string& backend : working_backends()) {
    INFO(backend);
    const Hooked hooked(backend);
    hooked.world().wafers_ok({"git-commit", "a", "-m", "first", "--", "new"});
    hooked.hook("pre-commit",
                "exec > '" + hooked.path("seen") +
                    "'; pwd; id -u; cat README; git symbolic-ref HEAD; git status --porcelain;"
                    "git diff --cached --name-status; git rev-parse --show-toplevel;"
                    "echo $GIT_EDITOR $WAFERS_NAME");
    const std::string mountpoint = hooked.world().listed("a")["mountpoint"];
    const RunResult result = hooked.commit();
    CHECK(result.err.empty());
    REQUIRE(result.status == 0);
    CHECK(read_file(hooked.path("seen")) == mountpoint + "\n" + std::to_string(::geteuid()) +
                                                "\n2\nrefs/heads/wafers/a\nM  README\nM\tREADME\n" +
                                                mountpoint + "\n: a\n");
    CHECK_FALSE(std::filesystem::exists(hooked.world().state() / "a/commit.git"));
    CHECK(hooked.world().base().git({"status", "--porcelain"}).empty());
  }
}

TEST_CASE("a view that is not mounted is mounted for its hooks") {
  const Hooked hooked;
  hooked.hook("pre-commit", "cat README > '" + hooked.path("seen") + "'");
  hooked.world().wafers_ok({"umount", "a"});
  CHECK(hooked.commit().status == 0);
  CHECK(read_file(hooked.path("seen")) == "2\n");
}

TEST_CASE("hooks run for a commit from inside, too") {
  const Hooked hooked;
  hooked.hook("pre-commit", "cat README > '" + hooked.path("seen") + "'");
  hooked.world().inside("a", "'" WAFERS_PROGRAM "' git-commit --verify -m inside");
  CHECK(read_file(hooked.path("seen")) == "2\n");
  CHECK(hooked.log("%s") == "inside");
}

TEST_CASE("hooks edit the message, and may refuse it") {
  const Hooked hooked;
  hooked.hook("prepare-commit-msg",
              "[ \"$2\" = message ]; { cat \"$1\"; echo; echo 'Prepared: yes   '; } > \"$1.x\"; "
              "mv \"$1.x\" \"$1\"");
  hooked.hook("commit-msg", "sed -i s/subject/SUBJECT/ \"$1\"; echo 'Checked: yes' >> \"$1\"");
  const RunResult result = hooked.commit();
  REQUIRE(result.status == 0);
  CHECK(hooked.log("%B") == "SUBJECT\n\nPrepared: yes\nChecked: yes\n");
  CHECK_THAT(result.out, Contains("] SUBJECT\n"));
  hooked.hook("commit-msg", ": > \"$1\"");
  const RunResult empty = hooked.commit({"--verify", "--allow-empty"});
  CHECK(empty.status == 1);
  CHECK_THAT(empty.err, Contains("empty commit message"));
  hooked.hook("commit-msg", "echo no good >&2; exit 3");
  const RunResult refused = hooked.commit({"--verify", "--allow-empty"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("no good\n"));
  CHECK_THAT(refused.err, Contains("the hook commit-msg ended with status 3"));
}

TEST_CASE("a hook may change what is committed") {
  const Hooked hooked;
  hooked.hook("pre-commit", "echo formatted > README; git add README; echo more > unstaged");
  REQUIRE(hooked.commit().status == 0);
  CHECK(hooked.world().base().git_line({"show", "wafers/a:README"}) == "formatted");
  CHECK(hooked.world().wafers_ok({"git-status", "a", "--porcelain"}) == "?? unstaged\n");
  CHECK(hooked.world().base().git({"status", "--porcelain"}).empty());
}

TEST_CASE("a hook sees what is staged, and only that") {
  const Hooked hooked;
  hooked.world().wafers_ok({"git-add", "a", "--", "new"});
  hooked.hook("pre-commit", "git status --porcelain > '" + hooked.path("seen") + "'");
  REQUIRE(hooked.commit().status == 0);
  CHECK(read_file(hooked.path("seen")) == " M README\nA  new\n");
  hooked.world().inside("a", "echo 3 > new");
  REQUIRE(hooked.commit({"--verify", "--", "new"}).status == 0);
  CHECK(read_file(hooked.path("seen")) == " M README\nM  new\n");
}

TEST_CASE("post-commit comes when all is done") {
  const Hooked hooked;
  hooked.hook("post-commit", "git log -1 --format=%s > '" + hooked.path("seen") + "'; exit 1");
  const RunResult result = hooked.commit();
  CHECK(result.status == 0);
  CHECK_THAT(result.err, Contains("warning: the hook post-commit ended with status 1"));
  CHECK(read_file(hooked.path("seen")) == "subject\n");
}

TEST_CASE("core.hooksPath, also in the view") {
  const Hooked hooked;
  write_hook(hooked.world() / "elsewhere/pre-commit", "exit 5");
  hooked.world().base().git({"config", "core.hooksPath", hooked.path("elsewhere")});
  CHECK_THAT(hooked.commit().err, Contains("status 5"));
  hooked.world().base().git({"config", "core.hooksPath", ".githooks"});
  hooked.world().inside("a",
                        "mkdir .githooks; printf '#!/bin/sh\\nexit 6\\n' > .githooks/pre-commit;"
                        "chmod +x .githooks/pre-commit");
  CHECK_THAT(hooked.commit().err, Contains("status 6"));
  hooked.world().inside("a", "chmod -x .githooks/pre-commit");
  const RunResult ignored = hooked.commit();
  CHECK(ignored.status == 0);
  CHECK_THAT(ignored.err, Contains("is ignored: it is not executable"));
}

TEST_CASE("a hook that moves the branch itself refuses the commit") {
  const Hooked hooked;
  hooked.hook("pre-commit", "git update-ref HEAD $(git commit-tree -p HEAD -m mine 'HEAD^{tree}')");
  const RunResult result = hooked.commit();
  CHECK(result.status == 3);
  CHECK(hooked.log("%s") == "mine");
}

TEST_CASE("what a hook leaves in the background keeps no wafer busy") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const Hooked hooked(backend);
  const World& world = hooked.world();
  hooked.hook("post-commit",
              "setsid sh -c 'sleep 1000 & sleep 1001' >/dev/null 2>&1 < /dev/null &");
  SECTION("called outside") { CHECK(hooked.commit().status == 0); }
  SECTION("called inside") { world.inside("a", "'" WAFERS_PROGRAM "' git-commit --verify -m x"); }
  CHECK(world.wafers({"rm", "a"}).err.empty());
}

TEST_CASE("what was in the background before a commit stays there") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; sleep 1000 >/dev/null 2>&1 & exec '" WAFERS_PROGRAM
                    "' git-commit -m x");
  CHECK_THAT(world.wafers({"rm", "a"}).err, Contains(" sleep 1000\n"));
}

}  // namespace
}  // namespace wafers::test
