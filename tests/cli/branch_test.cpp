// What others do to the branch of a wafer, and what a wafer may do to a branch. Every hint with git
// commands is run as it stands.

#include <functional>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// The commands of a hint.
std::string commands_in(const std::string& err) {
  const std::size_t hint = err.find("\nhint: ");
  const std::size_t start = hint == std::string::npos ? hint : err.find("git -C", hint);
  if (start == std::string::npos) return "echo 'no command in the hint'; exit 1";
  std::string commands = err.substr(start, err.find('\n', start) - start);
  for (const char* const end : {"; or ", ", or let"}) {
    commands = commands.substr(0, commands.find(end));
  }
  return commands;
}

/// From a directory that has nothing to do with the repository.
void do_as_hinted(const World& world, const std::string& err) {
  const RunResult result = run_script(commands_in(err), {.cwd = world / "."});
  INFO(err << commands_in(err) << "\n" << result.out << result.err);
  REQUIRE(result.status == 0);
}

void commit_in(const World& world, const std::string& text) {
  world.inside("a", "echo '" + text + "' >> work");
  world.wafers_ok({"git-commit", "a", "-m", text});
}

std::string tip(const World& world, const std::string& branch = "wafers/a") {
  return world.base().git_line({"rev-parse", "refs/heads/" + branch});
}

bool has(const World& world, const std::string& commit) {
  return !world.base().git({"for-each-ref", "--contains", commit}).empty();
}

/// A commit of the tip's tree on top of `parent`.
std::string commit_outside(const World& world, const std::string& parent) {
  return world.base().git_line({"commit-tree", "-m", "outside", "-p", parent, parent + "^{tree}"});
}

TEST_CASE("a branch that is checked out elsewhere is not moved") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const GitRepo& base = world.base();
  const fs::path place = world / "review";
  world.add("a", backend);
  commit_in(world, "one");
  world.base().write("README", "main went on\n");
  world.base().commit_all();
  int steps = 1;  // git goes back to the branch at the end of a rebase or bisect
  SECTION("in a worktree") { base.git({"worktree", "add", "-q", place, "wafers/a"}); }
  SECTION("in the base") { base.git({"checkout", "-q", "wafers/a"}); }
  SECTION("in a worktree that is gone") {
    base.git({"worktree", "add", "-q", place, "wafers/a"});
    fs::remove_all(place);
  }
  SECTION("by way of a symbolic ref") {
    base.git({"symbolic-ref", "refs/heads/alias", "refs/heads/wafers/a"});
    base.git({"worktree", "add", "-q", place, "alias"});
  }
  SECTION("in a bisect") {
    base.git({"worktree", "add", "-q", place, "wafers/a"});
    GitRepo(place).git({"bisect", "start"});
    steps = 3;
  }
  SECTION("in a rebase that conflicts") {
    base.git({"worktree", "add", "-q", place, "wafers/a"});
    base.write("work", "in the way\n");
    base.commit_all();
    REQUIRE_FALSE(GitRepo(place).try_git({"rebase", "main"}).ok());
    steps = 2;
  }
  const std::string before = tip(world);
  world.inside("a", "echo two >> work");
  for (; steps > 0; --steps) {
    const RunResult refused = world.wafers({"git-commit", "a", "-m", "two"});
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains("branch 'wafers/a' of wafer 'a' is checked out in '") &&
                                Contains(": nothing was committed\n"));
    CHECK(tip(world) == before);
    const RunResult status = world.wafers({"git-status", "a"});
    CHECK(status.status == 0);
    CHECK_THAT(status.err, Contains("is checked out in"));
    do_as_hinted(world, refused.err);
  }
  world.wafers_ok({"git-commit", "a", "-m", "two"});
  CHECK(base.git({"show", "wafers/a:work"}) == "one\ntwo\n");
  if (fs::exists(place)) CHECK(GitRepo(place).git({"status", "--porcelain"}).empty());
}

TEST_CASE("what is committed beside a wafer doesn't revert its work") {
  const World world;
  const fs::path place = world / "review";
  world.add("a", any_backend());
  commit_in(world, "one");
  world.base().git({"worktree", "add", "-q", place, "wafers/a"});
  world.inside("a", "echo two >> work");
  REQUIRE(world.wafers({"git-commit", "a", "-m", "two"}).status == 3);
  const GitRepo review(place);
  review.write("doc", "reviewed\n");
  const std::string theirs = review.commit_all("reviewer's");
  for (int step = 0; step < 2; ++step) {  // checked out, then moved
    const RunResult refused = world.wafers({"git-commit", "a", "-m", "two"});
    REQUIRE(refused.status == 3);
    do_as_hinted(world, refused.err);
  }
  world.wafers_ok({"git-commit", "a", "-m", "two"});
  CHECK(world.base().git({"show", "wafers/a:work"}) == "one\ntwo\n");
  CHECK(has(world, theirs));
}

TEST_CASE("a branch that became a symbolic ref moves nothing") {
  const World world;
  world.add("a", any_backend());
  commit_in(world, "one");
  const std::string before = tip(world);
  const std::string main = world.base().head();
  world.base().git({"branch", "other", "wafers/a"});
  world.base().git({"update-ref", "--no-deref", "-d", "refs/heads/wafers/a"});
  const std::string target = GENERATE(as<std::string>(), "main", "other", "nowhere");
  world.base().git({"symbolic-ref", "refs/heads/wafers/a", "refs/heads/" + target});
  world.inside("a", "echo two >> work");
  const RunResult refused = world.wafers({"git-commit", "a", "-m", "two"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("was made a symbolic ref to 'refs/heads/" + target + "'"));
  CHECK(world.base().head() == main);
  CHECK(tip(world, "other") == before);
  do_as_hinted(world, refused.err);
  world.wafers_ok({"git-commit", "a", "-m", "two"});
  CHECK(world.base().head() == main);
  CHECK(tip(world, "other") == before);
}

struct Outside {
  std::string name;
  std::function<void(const World&)> act;
};

TEST_CASE("a branch that was moved outside: both sides are kept") {
  const std::vector<Outside> cases{
      {"went on",
       [](const World& world) {
         world.base().git({"update-ref", "refs/heads/wafers/a", commit_outside(world, tip(world))});
       }},
      {"amended",
       [](const World& world) {
         world.base().git({"branch", "-f", "wafers/a", commit_outside(world, "wafers/a^")});
       }},
      {"rebased",
       [](const World& world) {
         world.base().write("README", "main went on\n");
         world.base().commit_all();
         world.base().git({"worktree", "add", "-q", world / "tmp", "wafers/a"});
         GitRepo(world / "tmp").git({"rebase", "-q", "main"});
         world.base().git({"worktree", "remove", world / "tmp"});
       }},
      {"went back",
       [](const World& world) {
         world.base().git({"branch", "-f", "wafers/a", "wafers/a~2"});
       }},
      {"moved by a wafer of another state directory",
       [](const World& world) {
         const RunOptions other{.environment = {"WAFERS_STATE_DIR=" + (world / "other").native()}};
         world.wafers_ok({"add", "b", "--branch", "wafers/a"}, other);
         world.wafers_ok({"exec", "b", "--", "sh", "-c", "echo b > b"}, other);
         world.wafers_ok({"git-commit", "b", "-m", "b"}, other);
         world.wafers_ok({"rm", "b"}, other);
       }},
  };
  const Outside& outside = GENERATE_REF(from_range(cases));
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO(outside.name << ", backend " << backend);
  const World world;
  world.add("a", backend);
  commit_in(world, "one");
  commit_in(world, "two");
  const std::string ours = tip(world);
  outside.act(world);
  const std::string theirs = tip(world);
  world.inside("a", "echo three >> work");

  const RunResult listing = world.wafers({"ls"});
  CHECK(listing.status == 0);
  CHECK_THAT(listing.err, Contains("branch 'wafers/a' was moved from " + ours.substr(0, 7)));
  CHECK_THAT(world.listed("a")["branch_note"].get<std::string>(), Contains("was moved from"));
  const RunResult status = world.wafers({"git-status", "a", "--porcelain"});
  CHECK(status.status == 0);
  CHECK(status.out == " M work\n");
  CHECK_THAT(status.err, Contains("was moved from"));
  const RunResult refused = world.wafers({"git-commit", "a", "-m", "three"});
  CHECK(refused.status == 3);
  CHECK(refused.err.substr(refused.err.find("hint: ")) ==
        status.err.substr(status.err.find("hint: ")));
  CHECK(tip(world) == theirs);

  do_as_hinted(world, refused.err);
  world.wafers_ok({"git-commit", "a", "-m", "three"});
  CHECK(world.base().git({"show", "wafers/a:work"}) == "one\ntwo\nthree\n");
  CHECK(has(world, ours));
  CHECK(has(world, theirs));
  CHECK(tip(world, "wafers/a-outside") == theirs);
  CHECK(world.wafers({"ls"}).err.empty());
  // And once more, although that name is taken.
  world.base().git({"update-ref", "refs/heads/wafers/a", commit_outside(world, tip(world))});
  world.inside("a", "echo four >> work");
  do_as_hinted(world, world.wafers({"git-commit", "a", "-m", "four"}).err);
  world.wafers_ok({"git-commit", "a", "-m", "four"});
  CHECK(has(world, theirs));
}

TEST_CASE("a branch that was deleted or renamed") {
  const World world;
  world.add("a", any_backend());
  commit_in(world, "one");
  const std::string ours = tip(world);
  std::string word = "is gone";
  SECTION("deleted") { world.base().git({"branch", "-D", "wafers/a"}); }
  SECTION("deleted after a merge") {
    world.base().git({"merge", "-q", "wafers/a"});
    world.base().git({"branch", "-d", "wafers/a"});
  }
  SECTION("renamed") {
    world.base().git({"branch", "-m", "wafers/a", "topic"});
    word = "was renamed to 'topic'";
  }
  SECTION("renamed, and gone on") {
    world.base().git({"branch", "-m", "wafers/a", "topic"});
    world.base().git({"branch", "-f", "topic", commit_outside(world, "topic")});
    word = "was renamed to 'topic'";
  }
  SECTION("renamed, and packed") {
    world.base().git({"branch", "-m", "wafers/a", "x/y"});
    world.base().git({"pack-refs", "--all"});
    word = "was renamed to 'x/y'";
  }
  world.inside("a", "echo two >> work");
  CHECK_THAT(world.wafers({"ls"}).err, Contains("branch 'wafers/a' is gone"));
  const RunResult status = world.wafers({"git-status", "a", "--porcelain"});
  CHECK(status.status == 0);
  CHECK(status.out == " M work\n");
  CHECK_THAT(status.err, Contains(word));
  const RunResult refused = world.wafers({"git-commit", "a", "-m", "two"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains(word + ": nothing was committed\n"));
  do_as_hinted(world, refused.err);
  CHECK(tip(world) == ours);
  world.wafers_ok({"git-commit", "a", "-m", "two"});
  CHECK(world.base().git({"show", "wafers/a:work"}) == "one\ntwo\n");
}

TEST_CASE("ls takes no commit that goes on for a move from outside") {
  const World world;
  world.add("a", any_backend());
  const RunResult result = run_script(
      "( for i in 1 2 3 4 5 6 7 8 9; do $W git-commit a --allow-empty -m $i >/dev/null; done ) & "
      "while kill -0 $! 2>/dev/null; do $W ls >/dev/null; done",
      {.cwd = world.base().path(),
       .environment = {"W=" WAFERS_PROGRAM, "WAFERS_STATE_DIR=" + world.state().native()}});
  CHECK(result.err == "");
}

TEST_CASE("rm of a clean wafer whose branch isn't where it was") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  commit_in(world, "one");
  const std::string ours = tip(world);
  const GitRepo& base = world.base();
  std::string left = "is gone";
  SECTION("merged and deleted") {
    base.git({"merge", "-q", "wafers/a"});
    base.git({"branch", "-d", "wafers/a"});
  }
  SECTION("renamed") { base.git({"branch", "-m", "wafers/a", "topic"}); }
  SECTION("deleted, under a tag") {
    base.git({"tag", "v1", "wafers/a"});
    base.git({"branch", "-D", "wafers/a"});
  }
  SECTION("deleted, and at a remote") {
    base.git({"update-ref", "refs/remotes/origin/a", "wafers/a"});
    base.git({"branch", "-D", "wafers/a"});
  }
  SECTION("went on") {
    base.git({"branch", "-f", "wafers/a", commit_outside(world, "wafers/a")});
    left = "is kept";
  }
  SECTION("amended, and merged before") {
    base.git({"merge", "-q", "wafers/a"});
    base.git({"branch", "-f", "wafers/a", commit_outside(world, "main^")});
    left = "is kept";
  }
  CHECK(world.wafers_ok({"rm", "a"}) == "Removed wafer a (branch wafers/a " + left + ")\n");
  CHECK(has(world, ours));
}

TEST_CASE("rm of a wafer that alone knows of its commits") {
  const World world;
  world.add("a", any_backend());
  commit_in(world, "one");
  const std::string ours = tip(world);
  const GitRepo& base = world.base();
  std::string left = "is kept";
  SECTION("deleted") { base.git({"branch", "-D", "wafers/a"}); }
  SECTION("amended") { base.git({"branch", "-f", "wafers/a", commit_outside(world, "main")}); }
  SECTION("went back") { base.git({"branch", "-f", "wafers/a", "main"}); }
  const RunResult refused = world.wafers({"rm", "a"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("no ref leads to " + ours.substr(0, 7) + " any more\n"));
  CHECK(world.listed("a")["status"] == "mounted");
  do_as_hinted(world, refused.err);
  CHECK(world.wafers_ok({"rm", "a"}) == "Removed wafer a (branch wafers/a " + left + ")\n");
  CHECK(has(world, ours));
}

TEST_CASE("a name can be used again once HEAD went on") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const GitRepo& base = world.base();
  world.add("a", backend);
  commit_in(world, "one");
  world.wafers_ok({"rm", "a"});
  const std::string before = tip(world);
  base.git({"merge", "-q", "wafers/a"});
  base.write("README", "2\n");
  base.commit_all();
  const RunResult added = world.wafers({"add", "a", "--backend", backend});
  CHECK(added.status == 0);
  CHECK_THAT(added.err,
             Contains("branch 'wafers/a' was fast-forwarded from " + before.substr(0, 7) +
                      " to the base's HEAD " + base.head().substr(0, 7) + "\n"));
  CHECK(tip(world) == base.head());
  CHECK(base.git_line({"reflog", "-1", "--format=%H %gs", "wafers/a"}) ==
        base.head() + " wafers: fast-forwarded to HEAD");
  commit_in(world, "two");
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("an add that fails takes back what it fast-forwarded") {
  const World world;
  const GitRepo& base = world.base();
  base.git({"branch", "wafers/a"});
  base.write("README", "2\n");
  base.commit_all();
  base.git({"branch", "wafers/b/in-the-way"});
  const std::string before = tip(world);
  const RunResult failed = world.wafers({"add", "a", "b", "--backend", any_backend()});
  CHECK(failed.status == 1);
  CHECK_THAT(failed.err, !Contains("fast-forwarded"));
  CHECK(tip(world) == before);
  CHECK(world.json({"ls"})["wafers"].empty());
}

TEST_CASE("a branch that somebody named, or that has work, is not moved by add") {
  const World world;
  const GitRepo& base = world.base();
  base.git({"branch", "topic"});
  base.git({"branch", "wafers/a"});
  base.git({"branch", "wafers/b"});
  std::string branch = "topic";
  Words arguments{"add", "a", "--branch", "topic"};
  SECTION("behind") {}
  SECTION("behind, and the default's name given") {
    branch = "wafers/a";
    arguments.back() = branch;
  }
  SECTION("with work of its own") {
    base.git({"branch", "-f", "topic", commit_outside(world, "topic")});
  }
  SECTION("the default one with work of its own") {
    branch = "wafers/b";
    base.git({"branch", "-f", branch, commit_outside(world, branch)});
    arguments = {"add", "b"};
  }
  base.write("README", "2\n");
  base.commit_all();
  const std::string before = tip(world, branch);
  const RunResult refused = world.wafers(arguments);
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("does not descend from the base's HEAD"));
  CHECK(tip(world, branch) == before);
  do_as_hinted(world, refused.err);
  CHECK(base.git_line({"symbolic-ref", "HEAD"}) == "refs/heads/main");
  CHECK(base.git({"status", "--porcelain"}).empty());
  CHECK(base.git({"worktree", "list", "--porcelain"}).find("rebase") == std::string::npos);
  world.wafers_ok(arguments);
}

TEST_CASE("a default branch that is behind is not forwarded where it is checked out") {
  const World world;
  const GitRepo& base = world.base();
  base.git({"worktree", "add", "-q", "-b", "wafers/a", world / "review"});
  base.write("README", "2\n");
  base.commit_all();
  const std::string before = tip(world);
  CHECK(world.wafers({"add", "a"}).status == 3);
  CHECK(tip(world) == before);
}

TEST_CASE("rm --delete-branch does what git branch -d does") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const GitRepo& base = world.base();
  world.add("a", backend);
  const auto deletes = [&] {
    return world.wafers_ok({"rm", "--delete-branch", "a"}) ==
               "Removed wafer a (branch wafers/a is deleted)\n" &&
           !base.try_git({"rev-parse", "-q", "--verify", "refs/heads/wafers/a"}).ok();
  };
  const auto refuses = [&](const std::string& word) {
    const Words arguments = GENERATE(Words{"rm", "--delete-branch", "a"},
                                     Words{"rm", "--delete-branch", "--force", "a"});
    const RunResult refused = world.wafers(arguments);
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains(word));
    CHECK(world.listed("a")["status"] == "mounted");
    CHECK_FALSE(base.try_git({"branch", "-d", "wafers/a"}).ok());  // the twin
    return refused.err;
  };
  SECTION("nothing was committed") {
    base.git({"config", "branch.wafers/a.description", "x"});
    CHECK(deletes());
    CHECK_FALSE(base.try_git({"config", "branch.wafers/a.description"}).ok());
  }
  SECTION("merged") {
    commit_in(world, "one");
    base.git({"merge", "-q", "wafers/a"});
    CHECK(deletes());
  }
  SECTION("at its upstream") {
    commit_in(world, "one");
    base.git({"init", "-q", "--bare", world / "remote"});
    base.git({"remote", "add", "origin", world / "remote"});
    world.wafers_ok({"git-push", "a"});
    CHECK(deletes());
  }
  SECTION("not merged") {
    commit_in(world, "one");
    const std::string ours = tip(world);
    do_as_hinted(world, refuses("is not fully merged to 'HEAD'"));
    CHECK(deletes());
    CHECK(has(world, ours));
  }
  SECTION("merged to something else than git looks at") {
    commit_in(world, "one");
    base.git({"branch", "other", "wafers/a"});
    refuses("is not fully merged");
  }
  SECTION("checked out") {
    base.git({"worktree", "add", "-q", world / "review", "wafers/a"});
    refuses("is checked out in");
  }
  SECTION("gone already") {
    base.git({"branch", "-D", "wafers/a"});
    CHECK(world.wafers_ok({"rm", "--delete-branch", "a"}) ==
          "Removed wafer a (branch wafers/a is gone)\n");
  }
}

}  // namespace
}  // namespace wafers::test
