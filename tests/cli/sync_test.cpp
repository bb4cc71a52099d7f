// git-sync: a wafer with all its work on top of another commit, or just as it was.

#include <fstream>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kBase =
    "printf '*.o\\n' > .gitignore; printf '*.crlf text eol=crlf\\n' > .gitattributes\n"
    "for f in f g h; do seq 1 20 > $f; done; printf 'a\\r\\n' > t.crlf; mkdir dir; echo 1 > dir/x\n"
    "echo 1 > dir/y; git add -A; git commit -qm base";

/// What a pull brings.
constexpr const char* kNews =
    "sed -i '20s/.*/theirs/' f g; git rm -q h; echo up > up; mkdir new\n"
    "echo n > new/n; git add -A; git commit -qm news";

constexpr const char* kFiles = "find . -type f ! -path './.git*' | sort | xargs sha1sum";

std::string commit_at(const World& world, const std::string& revision) {
  std::string hex = world.base().git({"rev-parse", revision});
  hex.pop_back();
  return hex;
}

std::string tip_of(const World& world, const std::string& name = "a") {
  return commit_at(world, "wafers/" + name);
}

TEST_CASE("committed, staged, uncommitted and ignored work comes onto what is new") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string kind = GENERATE("--live", "--frozen");
  CAPTURE(backend, kind);
  const World world;
  world.in_base(kBase);
  world.add("a", backend, {kind});
  world.inside("a",
               "sed -i '1s/.*/mine/' f; rm -r dir; mkdir dir; echo only > dir/mine; echo o > x.o\n"
               "ln -s f link; echo '#!' > tool; chmod 755 tool; printf 'b\\r\\n' >> t.crlf");
  world.wafers_ok({"git-commit", "a", "-m", "mine", "--", "f", "tool"});
  world.inside("a", "echo staged > staged");
  world.wafers_ok({"git-add", "a", "--", "staged"});
  world.inside("a", "echo later >> staged");
  world.in_base(kNews);
  const RunResult result = world.wafers({"git-sync", "a"});
  if (kind == "--live") CHECK(result.err.empty());
  CHECK_THAT(result.out, Contains("(1 commit rebased)"));
  CHECK(world.inside("a",
                     "head -1 f; sed -sn 20p f g; cat dir/* x.o up new/n staged; readlink link") ==
        "mine\ntheirs\ntheirs\nonly\no\nup\nn\nstaged\nlater\nf\n");
  CHECK(world.inside("a", "tr '\\r' R < t.crlf; ls -d dir new up; stat -c %a tool") ==
        "aR\nbR\ndir\nnew\nup\n755\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
        " D dir/x\n D dir/y\nAM staged\n M t.crlf\n?? dir/mine\n?? link\n");
  CHECK(world.base().git({"log", "--format=%s", "wafers/a"}) == "mine\nnews\nbase\nbase\n");
  CHECK(world.base().git({"diff", "--name-status", "main", "wafers/a"}) == "M\tf\nA\ttool\n");
  const auto listed = world.listed("a");
  CHECK(listed["base_commit"] == commit_at(world, "main"));
  CHECK(listed["last_commit"] == tip_of(world));
  CHECK(listed["status"] == "mounted");
  CHECK_THAT(world.wafers_ok({"git-sync", "a"}), Contains("already"));
  world.wafers_ok({"git-commit", "a", "-m", "staged"});
  CHECK(world.base().git({"show", "wafers/a:staged"}) == "staged\n");
  CHECK(world.base().git({"reflog", "-1", "--format=%gs", "wafers/a"}) == "commit: staged\n");
}

TEST_CASE("a conflict changes nothing, and says where and how to go on") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const bool committed = GENERATE(true, false);
  CAPTURE(backend, committed);
  const World world;
  world.in_base(kBase);
  world.add("a", backend);
  world.inside("a", "sed -i '20s/.*/mine/' f; echo o > x.o; rm g");
  if (committed) world.wafers_ok({"git-commit", "a", "-m", "mine"});
  const std::string files = world.inside("a", kFiles);
  const std::string status = world.wafers_ok({"git-status", "a", "--porcelain"});
  const std::string tip = tip_of(world);
  world.in_base(kNews);
  const RunResult result = world.wafers({"git-sync", "a"});
  CHECK(result.status == 3);
  CHECK_THAT(result.err, Contains("\n  f\n") && Contains("\n  g\n"));
  CHECK_THAT(result.err, Contains(committed ? "worktree add" : "wafers git-commit a"));
  CHECK(world.inside("a", kFiles) == files);
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == status);
  CHECK(tip_of(world) == tip);
  CHECK(world.json({"git-sync", "a"})["error"]["kind"] == "refused");
  if (!committed) return;
  // The way that the hint tells.
  const std::string there = (world / "there").native();
  world.base().git({"worktree", "add", "-q", there, "wafers/a"});
  world.in_base(
      "cd '" + there + "'; git rebase -q main || true; git checkout -q --theirs f\n" +
      "git add f; git rm -q g || true; GIT_EDITOR=true git rebase --continue > /dev/null\n" +
      "git -C '" + world.base().path().native() + "' worktree remove '" + there + "'");
  world.wafers_ok({"git-sync", "a"});
  CHECK(world.inside("a", "tail -n 1 f; test ! -e g; test ! -e h; cat x.o up") == "mine\no\nup\n");
}

TEST_CASE("a branch that was amended, rebased or deleted outside is taken over") {
  const World world;
  world.in_base(kBase);
  world.add("a", any_backend());
  world.inside("a", "echo one > one");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.inside("a", "echo open > open; sed -i '1s/.*/open/' g");
  const std::string there = (world / "there").native();
  const auto outside = [&](const std::string& script) {
    world.base().git({"worktree", "add", "-q", there, "wafers/a"});
    world.in_base("cd '" + there + "'\n" + script);
    world.base().git({"worktree", "remove", there});
  };
  SECTION("amended") {
    outside("echo amended > one; git commit -qa --amend -m amended");
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 3);
    CHECK_THAT(world.wafers({"git-commit", "a", "-m", "x"}).err, Contains("wafers git-sync a"));
    world.wafers_ok({"git-sync", "a"});
    CHECK(world.inside("a", "cat one open; head -1 g") == "amended\nopen\nopen\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M g\n?? open\n");
    world.wafers_ok({"git-commit", "a", "-m", "two"});
    CHECK(world.base().git({"log", "-2", "--format=%s", "wafers/a"}) == "two\namended\n");
  }
  SECTION("rebased onto what is new") {
    world.in_base(kNews);
    outside("git rebase -q main");
    const std::string tip = tip_of(world);
    world.wafers_ok({"git-sync", "a"});
    CHECK(tip_of(world) == tip);
    CHECK(world.inside("a", "cat one open up; head -1 g") == "one\nopen\nup\nopen\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M g\n?? open\n");
  }
  SECTION("merged and deleted") {
    world.in_base(std::string(kNews) +
                  "; git merge -q --no-edit wafers/a; git branch -qd wafers/a");
    world.wafers_ok({"git-sync", "a"});
    CHECK(tip_of(world) == commit_at(world, "main"));
    CHECK(world.inside("a", "cat one open up; head -1 g") == "one\nopen\nup\nopen\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M g\n?? open\n");
  }
  SECTION("checked out there: it is not moved") {
    world.base().git({"worktree", "add", "-q", there, "wafers/a"});
    world.in_base(kNews);
    const RunResult result = world.wafers({"git-sync", "a"});
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("is checked out in"));
    CHECK(world.inside("a", "cat one open; head -1 g") == "one\nopen\nopen\n");
  }
}

TEST_CASE("onto any commit, several at once, whatever is in the way") {
  const World world;
  world.in_base(kBase);
  world.in_base("git tag one");
  world.in_base(kNews);
  for (const char* name : {"a", "b", "c"}) world.add(name, any_backend());
  world.inside("a", "echo a > a");
  world.wafers_ok({"git-commit", "a", "-m", "a"});
  world.inside("b", "echo mine > tool.o");
  SECTION("back, and forth again") {
    world.wafers_ok({"git-sync", "a", "c", "--onto", "one"});
    CHECK(world.inside("a", "cat a dir/y; tail -n 1 f; ls h; ls up new || true") ==
          "a\n1\n20\nh\n");
    CHECK(world.base().git({"log", "--format=%s", "wafers/a"}) == "a\nbase\nbase\n");
    CHECK(world.listed("c")["base_layers"].size() == 2);
    world.wafers_ok({"git-sync", "a", "c"});
    CHECK(world.listed("c")["base_layers"].size() == 1);
    CHECK(world.base().git({"log", "--format=%s", "wafers/a"}) == "a\nnews\nbase\nbase\n");
    CHECK(world.inside("c", "cat up; ls h || true") == "up\n");
    world.wafers_ok({"rm", "--all"});
    CHECK(std::filesystem::is_empty(world.state() / ".bases"));
  }
  SECTION("something new in a directory that was deleted") {
    world.in_base("echo o > dir/base.o");
    world.wafers_ok({"umount", "c"});
    world.inside("c", "rm -r dir");
    world.in_base("echo z > dir/z; git add dir/z; git commit -qm z");
    world.wafers_ok({"git-sync", "c"});
    CHECK(world.inside("c", "ls dir") == "z\n");
    CHECK(world.wafers_ok({"git-status", "c", "--porcelain"}) == " D dir/x\n D dir/y\n");
  }
  SECTION("an ignored file in the way of a tracked one") {
    world.in_base("echo theirs > tool.o; git add -f tool.o; git commit -qm tool");
    const RunResult result = world.wafers({"git-sync", "a", "b", "c"});
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("in the way") && Contains("\n  tool.o\n"));
    CHECK(world.inside("b", "cat tool.o") == "mine\n");
    CHECK(world.inside("a", "cat tool.o a") == "theirs\na\n");
    CHECK(world.inside("c", "cat tool.o") == "theirs\n");
    world.inside("b", "rm tool.o");
    world.wafers_ok({"git-sync", "b"});
    CHECK(world.inside("b", "cat tool.o") == "theirs\n");
  }
  SECTION("processes inside") {
    const pid_t sleeper = start_inside(world, "a");
    world.in_base("echo 3 > up; git commit -qam three");
    const RunResult result = world.wafers({"git-sync", "a"});
    CHECK(result.status == 4);
    CHECK_THAT(result.err, Contains("sleep"));
    kill_and_wait(sleeper);
  }
  SECTION("files that were written at the mountpoint, outside of the view") {
    world.in_base("echo 3 > up; git commit -qam three");
    world.wafers_ok({"umount", "a"});
    const std::filesystem::path mountpoint = world.state() / "a/mnt";
    std::filesystem::permissions(mountpoint, std::filesystem::perms::owner_all);
    std::ofstream(mountpoint / "stray") << "stray\n";
    const RunResult result = world.wafers({"git-sync", "a"});
    CHECK(result.status == 3);
    CHECK(std::filesystem::exists(mountpoint / "stray"));
  }
  SECTION("no such commit, no name") {
    CHECK(world.wafers({"git-sync", "a", "--onto", "nothing"}).status == 1);
    CHECK(world.wafers({"git-sync"}).status == 2);
    CHECK(world.wafers({"git-sync", "nobody"}).status == 1);
  }
}

TEST_CASE("what was taken from a base that has moved is carried only onto what has it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(kBase);
  world.in_base("git tag one");
  world.add("a", backend);
  const pid_t sleeper = start_inside(world, "a");  // so that the view stays a mix of both
  world.in_base("git checkout -qb other; " + std::string(kNews));
  world.inside("a", "sed -i '1s/.*/mine/' f");
  kill_and_wait(sleeper);
  world.in_base("git checkout -q $(git commit-tree -p one -m else one^{tree})");
  const RunResult refused = world.wafers({"git-sync", "a"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("\n  f\n"));
  world.wafers_ok({"git-sync", "a", "--onto", "other"});
  CHECK(world.inside("a", "head -1 f; tail -n 1 f; cat up") == "mine\ntheirs\nup\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M f\n");
}

}  // namespace
}  // namespace wafers::test
