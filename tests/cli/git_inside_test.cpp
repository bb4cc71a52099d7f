// `add --git`: git works in the view as in a linked worktree, and what it does there is what
// wafers' own commands see, and the other way round. The oracle is git in a linked worktree of a
// clone.

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// Everything that git tells of a worktree, its branch and its index.
constexpr const char* kShown =
    "git status --porcelain; git ls-files -s; git write-tree; git log --format='%s %T'; "
    "git reflog --format=%gs wafers/a | sed /reated/d; "
    "git reflog --format=%gs | sed '/^$/d;/reated/d;/moving to HEAD$/d'; "
    "git symbolic-ref -q HEAD || git rev-parse HEAD^{tree}; "
    "git stash list --format=%gs; git diff HEAD; ls -A | grep -vx .git";

/// A wafer `a` with git inside, and a linked worktree of a clone in which the same is done by git.
class Pair {
 public:
  /// `configuration` is run in the base, and not in the clone.
  explicit Pair(const std::string& backend, const Words& more = {},
                const std::string& configuration = ":") {
    Words options{"--git"};
    options.insert(options.end(), more.begin(), more.end());
    world_.in_base("git clone -q . ../copy; " + configuration);
    world_.in_copy("git worktree add -q -b wafers/a ../linked; cp ../base/ignored.o ../linked");
    world_.add("a", backend, options);
  }

  const World& world() const { return world_; }

  std::string linked(const std::string& script) const {
    return run_ok({"sh", "-euc", script},
                  {.cwd = world_ / "linked", .environment = {}, .input = {}});
  }

  /// Runs the script in both.
  void both(const std::string& script) const {
    INFO(script);
    CHECK(world_.inside("a", script) == linked(script));
    require_same();
  }

  void require_same() const { CHECK(world_.inside("a", kShown) == linked(kShown)); }

  /// Of git outside, which has what the view has.
  void require_same_status() const {
    CHECK(world_.wafers_ok({"git-status", "a", "--porcelain"}) == linked("git status --porcelain"));
  }

 private:
  World world_;
};

TEST_CASE("git in a view works as in a linked worktree") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string kind = GENERATE("--live", "--frozen");
  CAPTURE(backend, kind);
  const Pair pair(backend, {kind});
  // No file looks changed by its stat data, so none has to be read.
  CHECK(pair.world().inside("a", "git diff-files --name-only") == "");
  pair.require_same();
  for (const char* script : {
           "git rev-parse --show-prefix --is-inside-work-tree; git describe --always --all",
           "echo two >> README; echo new > new; git add new; git status -s",
           "git commit -qm one; git log --oneline --format=%s",
           "echo three >> README; git diff > ../patch-$$; git apply --cached ../patch-$$; rm "
           "../patch-*",
           "git commit -q --amend -m amended",
           "echo four >> README; echo x > untracked; git stash push -qu; git stash pop -q",
           "git add -A; git reset -q; git add README; git commit -qm two",
           "git mv src/old.c src/moved.c; git rm -q new; git commit -qm three",
           "git reset -q --soft HEAD^; git status -s; git reset -q --hard",
           "rm README; git checkout -q -- README; git restore --source HEAD^ README",
           "git commit -qam four; git branch side HEAD~2; git rebase -q side",
           "for i in a b; do echo $i > $i; git add $i; git commit -qm $i; done",
           "GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' GIT_EDITOR=: git rebase -qi HEAD~2",
           "git switch -q -c topic; echo t > t; git add t; git commit -qm topic; git switch -q "
           "wafers/a",
           "git merge -q --no-ff -m merged topic; git branch -q -d topic; git gc -q; git blame "
           "README",
           "git checkout -q --detach; git switch -q wafers/a; git clean -fdxq",
       }) {
    pair.both(script);
    pair.require_same_status();
  }
  CHECK(pair.world().wafers_ok({"git-status", "a", "--porcelain"}) == "");
  CHECK_FALSE(pair.world().listed("a")["branch_note"].is_string());
  CHECK(pair.world().listed("a")["git"] == true);
  pair.world().wafers_ok({"rm", "a"});
  CHECK(pair.world().base().git({"worktree", "list"}) ==
        pair.world().base().git({"worktree", "list", "-v"}));
  CHECK_FALSE(fs::exists(pair.world().base() / ".git/worktrees"));
}

TEST_CASE("what is staged and committed outside is what git inside has, and the other way round") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const Pair pair(backend);
  const World& world = pair.world();
  const auto outside = [&](const Words& wafers, const std::string& git) {
    INFO(git);
    world.wafers_ok(wafers);
    pair.linked(git);
    pair.require_same();
    pair.require_same_status();
  };
  pair.both("echo 2 >> README; echo new > new; mkdir d; echo d > d/d; rm src/old.c");
  outside({"git-add", "a", "--", "new", "src/old.c"}, "git add new src/old.c");
  pair.both("git status -s; git reset -q new; git add d");
  outside({"git-restore", "a", "--staged", "--", "src/old.c"}, "git restore --staged src/old.c");
  outside({"git-restore", "a", "--", "src/old.c"}, "git restore src/old.c");
  outside({"git-commit", "a", "-m", "staged"}, "git commit -qm staged");
  pair.both("echo 3 >> README; git add README; echo 4 >> README");
  outside({"git-commit", "a", "-m", "paths", "--", "new"},
          "git add new; git commit -qm paths -- new");
  outside({"git-commit", "a", "-a", "-m", "all"}, "git commit -qam all");
  pair.both("echo 5 > d/d; git commit -qam inside; echo 6 > d/six");
  outside({"git-commit", "a", "-m", "view"}, "git add -A; git commit -qm view");
  outside({"git-commit", "a", "--amend", "-m", "amended"}, "git commit -q --amend -m amended");
  CHECK(world.inside("a", "git status --porcelain") == "");
  CHECK(world.listed("a")["last_commit"] == world.base().git_line({"rev-parse", "wafers/a"}));
  // What git inside has committed is nothing to sync, either.
  world.inside("a", "git commit -q --allow-empty -m inside");
  const auto synced = world.json({"git-sync", "a"})["wafers"][0];
  CHECK(synced["changed"] == false);
  CHECK(synced["last_commit"] == world.base().git_line({"rev-parse", "wafers/a"}));
}

TEST_CASE(
    "a view with git inside is a worktree of its repository, which changes nothing else of it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  const std::string before = world.in_base("cat .git/config; sha1sum .git/index; git status -s");
  world.add("a", backend, {"--git"});
  const std::string listed = world.in_base("git worktree list --porcelain | sed 1,/^$/d");
  CHECK(listed == "worktree " + (world.state() / "a/mnt").native() + "\nHEAD " +
                      world.base().head() + "\nbranch refs/heads/wafers/a\nlocked wafer a\n\n");
  CHECK(world.in_base("git switch wafers/a 2>&1 || true").find("wafers/a' is already") !=
        std::string::npos);
  world.inside("a", "echo work > work; git add work; echo ignored > x.o");
  world.wafers_ok({"umount", "a"});
  // What is staged is in no commit: git keeps it, since the worktree is there.
  world.in_base("git worktree prune; git gc -q --prune=now; git reflog expire --expire=now --all");
  CHECK(world.inside("a", "git status -s; git show :work") == "A  work\nwork\n");
  CHECK(world.in_base("cat .git/config; sha1sum .git/index; git status -s") == before);
  CHECK(world.inside("a", "git -C .. rev-parse 2>&1 || true").find("not a git repository") !=
        std::string::npos);
}

TEST_CASE("a merge that changes nothing is amended, and no other commit is") {
  const Pair pair(any_backend());
  const auto amend = [&] {
    const int status = pair.world().wafers({"git-commit", "a", "--amend", "-m", "amended"}).status;
    const RunResult linked = run({"git", "commit", "-q", "--amend", "-m", "amended"},
                                 {.cwd = pair.world() / "linked", .environment = {}, .input = {}});
    CHECK((status == 0) == (linked.status == 0));
    pair.require_same();
    return status;
  };
  pair.both(
      "git branch side; echo mine > mine; git add mine; git commit -qm mine; "
      "git switch -q side; echo s > s; git add s; git commit -qm s; git switch -q wafers/a; "
      "git merge -q -s ours -m merged side");
  CHECK(amend() == 0);
  pair.both("git reset -q --hard HEAD^; git rm -q mine");
  CHECK(amend() == 1);
}

TEST_CASE("views with git inside share what worktrees share, and nothing else") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.add("b", any_backend(), {"--git"});
  world.inside("a",
               "git branch topic; git tag t; git config some.key value; echo a > README; "
               "git add README; git stash -q; echo staged > s; git add s");
  CHECK(world.inside("b",
                     "git for-each-ref --format='%(refname)' refs/heads/topic refs/tags/t; "
                     "git config some.key; git status -s") ==
        "refs/heads/topic\nrefs/tags/t\nvalue\n");
  CHECK(world.inside("b", "git stash pop -q; git status -s") == " M README\n");
  CHECK(world.inside("a", "git stash list; git status -s") == "A  s\n");
}

TEST_CASE("a status outside goes by the sizes of files that git inside has") {
  const Pair pair(any_backend());
  pair.both("echo '*.crlf text eol=crlf' > .gitattributes; echo new > a.crlf");
  pair.world().wafers_ok({"git-commit", "a", "-m", "as it is written"});
  pair.linked("git add .; git commit -qm 'as it is written'");
  pair.require_same_status();
  pair.both("rm a.crlf; git checkout -q -- a.crlf; wc -c < a.crlf; git status -s");
  pair.require_same_status();
  pair.both("echo new > a.crlf; git status -s; git hash-object a.crlf");
  pair.require_same_status();
  CHECK(pair.world().wafers_ok({"git-status", "a", "--porcelain"}) == " M a.crlf\n");
}

TEST_CASE("one configuration makes git work in every new view") {
  const World world;
  world.base().git({"config", "wafers.git", "true"});
  world.add("a", any_backend());
  CHECK(world.inside("a", "git symbolic-ref HEAD") == "refs/heads/wafers/a\n");
  world.base().git({"config", "wafers.git", "false"});
  world.add("b", any_backend());
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees/b"));
}

TEST_CASE("where HEAD is not on the wafer's branch, a commit from outside is refused") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.in_base("git commit -q --allow-empty -m up; git tag up; git reset -q --hard HEAD^");
  world.inside("a", "git switch -q -c other; echo 2 > README");
  const auto refused = [&](const std::string& what) {
    const std::string before = world.in_base("git for-each-ref; sha1sum .git/worktrees/a/index");
    const RunResult result = world.wafers({"git-commit", "a", "-m", "x"});
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains(what));
    CHECK(world.wafers({"git-sync", "a", "--onto", "up"}).status == 3);
    CHECK(world.in_base("git for-each-ref; sha1sum .git/worktrees/a/index") == before);
  };
  refused("is on branch 'other'");
  CHECK(world.listed("a")["branch_note"] == "git inside is on branch 'other'");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M README\n");
  world.inside(
      "a", "git commit -qam other; git checkout -q --detach; echo 3 > README; git commit -qam 3");
  refused("on no branch");
  // Nothing but this HEAD leads to that commit.
  const RunResult lost = world.wafers({"rm", "a"});
  CHECK(lost.status == 3);
  CHECK_THAT(lost.err, Contains("no ref leads to"));
  world.inside("a", "git switch -q wafers/a; echo mine > README; git commit -qam mine");
  const RunResult conflict = world.wafers({"exec", "a", "--", "git", "rebase", "other"});
  CHECK(conflict.status != 0);
  refused("has conflicts, such as in 'README'");
  CHECK(world.wafers({"rm", "a"}).status == 3);
  world.inside("a", "git add README");
  refused("has begun a rebase");
  CHECK_THAT(world.listed("a")["branch_note"].get<std::string>(), Contains("has begun a rebase"));
  world.inside("a", "git rebase --abort");
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("a branch with a commit that nothing else has is kept by a removal that forces it") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "git checkout -q --detach; git commit -q --allow-empty -m alone");
  const std::string alone = world.inside("a", "git rev-parse HEAD");
  CHECK(world.wafers({"rm", "a"}).status == 3);
  world.wafers_ok({"rm", "--force", "a"});
  CHECK(world.base().git({"for-each-ref", "--format=%(objectname)", "refs/wafers"}) == alone);
}

TEST_CASE("rm --delete-branch takes branch and worktree away") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "echo 2 > README; git commit -qam two");
  const RunResult unmerged = world.wafers({"rm", "--delete-branch", "a"});
  CHECK(unmerged.status == 3);
  CHECK_THAT(unmerged.err, Contains("not fully merged"));
  CHECK(world.inside("a", "git log --format=%s -1") == "two\n");
  world.base().git({"merge", "-q", "wafers/a"});
  world.wafers_ok({"rm", "--delete-branch", "a"});
  CHECK(world.base().git({"branch", "--list", "wafers/*"}) == "");
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));
}

TEST_CASE("git works in a view that is in place, at both of its paths") {
  const World world;
  const std::string base = (world / "base").native();
  const std::string before = world.in_base("cat .git/config; sha1sum .git/index");
  world.add("a", "namespace", {"--git", "--in-place"});
  CHECK(world.inside("a", "git -C " + base + " rev-parse --show-toplevel; git -C " +
                              (world.state() / "a/mnt").native() + " symbolic-ref HEAD") ==
        base + "\nrefs/heads/wafers/a\n");
  world.inside("a", "cd " + base + "; echo 2 > README; git add README; echo new > new");
  CHECK(world.inside("a", std::string(WAFERS_PROGRAM) + " git-status --porcelain") ==
        "M  README\n?? new\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "M  README\n?? new\n");
  world.inside("a", "cd " + base + "; git commit -qm staged; git add new");
  world.inside("a", std::string(WAFERS_PROGRAM) + " git-commit -m new");
  CHECK(world.inside("a", "git status --porcelain; git log -2 --format=%s") == "new\nstaged\n");
  CHECK(world.base().git({"log", "-2", "--format=%s", "wafers/a"}) == "new\nstaged\n");
  CHECK(world.in_base("cat .git/config; sha1sum .git/index") == before);
  world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));
}

TEST_CASE("skill tells of git where it works") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.add("b", any_backend());
  const std::string skill = std::string(WAFERS_PROGRAM) + " skill";
  CHECK_THAT(world.inside("a", skill), Contains("linked worktree on `wafers/a`"));
  CHECK(world.inside("b", skill) == world.wafers_ok({"skill"}));
}

TEST_CASE("fork, rename, git-sync and the next mount go on with git inside") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.add("a", backend, {"--git"});
  world.inside("a",
               "echo c > c; git add c; git commit -qm c; echo s > s; git add s; echo 2 >> README");
  const std::string status = "A  s\n M README\n";
  const auto sorted = " M README\nA  s\n";
  CHECK(world.inside("a", "git status -s") == sorted);
  world.wafers_ok({"fork", "a", "b"});
  CHECK(world.inside("b", "git status -s; git symbolic-ref HEAD; git log -1 --format=%s") ==
        std::string(sorted) + "refs/heads/wafers/b\nc\n");
  CHECK(world.inside("a", "git status -s; git symbolic-ref HEAD") ==
        std::string(sorted) + "refs/heads/wafers/a\n");
  world.wafers_ok({"rename", "a", "z"});
  CHECK(world.inside("z", "git status -s; git symbolic-ref HEAD") ==
        std::string(sorted) + "refs/heads/wafers/a\n");
  CHECK(world.in_base("git worktree list").find((world.state() / "z/mnt").native()) !=
        std::string::npos);
  world.in_base("echo up > upstream; git add upstream; git commit -qm upstream");
  world.wafers_ok({"git-sync", "z"});
  CHECK(world.inside("z", "git status -s; git log -2 --format=%s; cat upstream") ==
        std::string(sorted) + "c\nupstream\nup\n");
  CHECK_THAT(world.inside("z", "git reflog -1; git reflog -1 wafers/a"),
             Contains(" HEAD@{0}: wafers: synced onto ") &&
                 Contains(" wafers/a@{0}: wafers: synced onto "));
  CHECK(world.wafers_ok({"git-status", "z", "--porcelain"}) == sorted);
  world.wafers_ok({"umount", "z"});
  CHECK(world.inside("z", "git status -s; git diff-files --name-only") ==
        std::string(sorted) + "README\n");
  world.wafers_ok({"rm", "-f", "z", "b"});
}

constexpr const char* kAllowed = "git config extensions.worktreeConfig true";

/// Older ones have no watcher.
bool has_sound_git(const World& world) {
  return world.in_base(
             "git version | awk '{ split($3, v, \".\"); exit v[1] * 1000 + v[2] < 2043 }' && echo "
             "y "
             "|| echo n") == "y\n";
}

/// All entries, where git inside is one that asks a watcher.
std::string all_with_watcher(const World& world) {
  return has_sound_git(world) ? world.inside("a", "git ls-files") : "";
}

/// The entries of git's index inside at whose files git needn't look again.
std::string seen_by_watcher(const World& world, const std::string& name = "a") {
  return world.inside(name, "git status -s > /dev/null; git ls-files -f | sed -n 's/^h //p'");
}

TEST_CASE("git inside looks at what was changed above a frozen base alone") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const Pair pair(backend, {"--frozen"}, kAllowed);
  const World& world = pair.world();
  CHECK(seen_by_watcher(world) == all_with_watcher(world));
  pair.require_same();
  for (const char* script : {
           // Each leaves something that git knew of and that isn't in the upper any more.
           "echo 1 > gone; git add gone; git status -s",
           "rm gone; git status -s",
           "git rm -q --cached gone; echo u > src/u; git status -s",
           "rm src/u; git status -s",
           "mkdir -p n/m; echo n > n/m/n; git add n; git status -s",
           "git mv n/m n/o; git status -s; mv n/o n/p; git status -s",
           "rm -r n; git status -s; git reset -q; git status -s",
           "mkdir only; echo u > only/u; git status -s",
           "mv only renamed; git status -s",
           "rm -r renamed; git status -s",
           // What shows something else than the base, or the base again.
           "rm -r src; git status -s; mkdir src; git status -s; echo x > src/x; git status -s",
           "rm README; git status -s; ln -s nowhere README; git status -s; git add README",
           "echo other > README; git status -s; git checkout -q -- README; git status -s",
           "git reset -q --hard; git status -s; chmod +x README; git status -s; chmod -x README",
           "echo '*.u' > .gitignore; echo u > x.u; git status -s; rm .gitignore x.u; git status -s",
           "git stash -q 2>&1; echo s > s; git stash push -qu; git status -s; git stash pop -q",
           "git add s; git commit -qm s; git status -s; git reset -q --hard HEAD^; git status -s",
       }) {
    pair.both(script);
  }
  // In a directory that was removed and made again fuse-overlayfs 1.10 makes no file that the base
  // has there, too (EEXIST).
  if (backend == "fuse") return;
  for (const char* script :
       {"rm src/x; echo 'int main(void) { return 0; }' > src/main.c; git status -s",
        "git checkout -q -- src; git status -s; rm -r src; echo f > src; git status -s",
        "rm src; git checkout -q -- src; git status -s; rm src/old.c; git status -s"}) {
    pair.both(script);
  }
}

TEST_CASE(
    "what wafers changes from outside is told to git inside by its index and by the watcher") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const Pair pair(backend, {"--frozen"}, kAllowed);
  const World& world = pair.world();
  pair.both("echo 2 > README; mkdir d; echo d > d/d; git add d; git status -s");
  world.wafers_ok({"git-commit", "a", "-a", "-m", "all"});
  pair.linked("git commit -qam all");
  pair.require_same();
  pair.both("echo 3 > README; git add README; git status -s; rm -r d; git status -s");
  world.wafers_ok({"git-restore", "a", "--", "d"});
  pair.linked("git restore d");
  pair.require_same();
  world.wafers_ok({"umount", "a"});
  pair.require_same();
  // Another name of the wafer, a copy of it, and another base.
  const bool asks = has_sound_git(world);
  world.wafers_ok({"rename", "a", "z"});
  world.wafers_ok({"fork", "z", "b"});
  for (const std::string name : {"z", "b"}) {
    CAPTURE(name);
    CHECK(world.inside(name, "git status -s") == "M  README\n");
    CHECK((seen_by_watcher(world, name).find("src/main.c") != std::string::npos) == asks);
    world.in_base("echo up >> upstream; git add upstream; git commit -qm upstream");
    world.wafers_ok({"git-sync", name});
    CHECK(world.inside(name, "git status -s; tail -1 upstream") == "M  README\nup\n");
    CHECK((seen_by_watcher(world, name).find("src/main.c") != std::string::npos) == asks);
    CHECK(world.inside(name, "rm upstream; git status -s") == "M  README\n D upstream\n");
  }
}

TEST_CASE("without a watcher that answers, git inside looks at all files") {
  const std::string backend = any_backend();
  const Pair pair(backend, {"--frozen"}, kAllowed);
  const World& world = pair.world();
  CHECK(seen_by_watcher(world) == all_with_watcher(world));
  const bool asks = has_sound_git(world);
  SECTION("its program is gone") {
    if (asks) world.in_base("sed -i 's/wafers-watcher/gone/g' .git/worktrees/a/config.worktree");
  }
  SECTION("it has to do with another wafer") {
    if (asks) world.in_base("sed -i 's,/a\\b,/b,g' .git/worktrees/a/config.worktree");
  }
  SECTION("git asks for another index") {
    const std::string other =
        "cp \"$(git rev-parse --git-path index)\" mine; "
        "GIT_INDEX_FILE=mine git status -s; rm mine";
    pair.both(other);
  }
  SECTION("the agent split git's index") { world.inside("a", "git update-index --split-index"); }
  pair.both("echo 2 > README; git status -s; git commit -qam two; git status -s 2>&1");
  CHECK(world.inside("a", "git status -s 2>&1") == "");
}

TEST_CASE("a live base has no watcher, since it changes without a word") {
  const World world;
  world.in_base(kAllowed);
  world.add("a", any_backend(), {"--git", "--live"});
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees/a/config.worktree"));
  CHECK(seen_by_watcher(world) == "");
}

/// Gives the base the submodule dir/sub, which is called odd/name, with the submodule deep in it,
/// and old, whose repository is in it.
void add_submodules(const World& world) {
  world.in_base(
      "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always; "
      "git init -q ../deep; cd ../deep; echo d > d; git add d; git commit -qm deep; "
      "git init -q ../lib; cd ../lib; echo l > l; git add l; git submodule --quiet add ../deep "
      "deep; "
      "git commit -qm lib; git init -q ../base/old; cd ../base/old; echo o > o; git add o; "
      "git commit -qm old; cd ..; git submodule --quiet add --name odd/name ../lib dir/sub; "
      "git config -f .gitmodules submodule.old.path old; "
      "git config -f .gitmodules submodule.old.url ./old; git add old .gitmodules; "
      "git commit -qm submodules; git submodule --quiet update --init --recursive dir/sub; git "
      "submodule --quiet init");
}

/// What may not change of the submodules in the checkout.
std::string submodules_of_base(const World& world) {
  return world.in_base(
      "git status -s; git submodule status --recursive; find .git/modules -type f ! -path "
      "'*/logs/*' "
      "| sort | xargs sha1sum; cat dir/sub/.git dir/sub/deep/.git; git -C dir/sub log --oneline "
      "--all");
}

TEST_CASE("submodules of the checkout work with git inside, and are the view's own") {
  const std::string kind = GENERATE(from_range(working_backends()), "in place");
  CAPTURE(kind);
  const World world;
  add_submodules(world);
  const std::string before = submodules_of_base(world);
  world.add("a", kind == "in place" ? "namespace" : kind,
            kind == "in place" ? Words{"--git", "--in-place"} : Words{"--git"});
  const std::string modules =
      "git submodule status --recursive | sed -E 's/^ [0-9a-f]+ ([^ ]*) .*/\\1/'";
  CHECK(world.inside("a", "git status -s; " + modules) == "dir/sub\ndir/sub/deep\nold\n");
  CHECK(world.inside(
            "a", "git diff-files; git -C dir/sub diff-files; git -C dir/sub/deep status -s") == "");
  world.inside("a", "git submodule --quiet update --init --recursive; git submodule --quiet sync");
  CHECK(submodules_of_base(world) == before);
  // A registration that is gone is made again with them.
  world.in_base("rm -r .git/worktrees");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "");
  CHECK(world.inside("a", "git status -s; " + modules) == "dir/sub\ndir/sub/deep\nold\n");
  // Nothing is in it that the checkout hasn't.
  world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));

  world.add("b", kind == "in place" ? "namespace" : kind,
            kind == "in place" ? Words{"--git", "--in-place"} : Words{"--git"});
  CHECK(world.inside("b",
                     "for m in dir/sub/deep dir/sub old; do echo 2 > $m/new; git status -s; "
                     "git -C $m add -A; git -C $m commit -qm two; git status -s; done") ==
        " ? dir/sub\n m dir/sub\n m dir/sub\n M dir/sub\n M dir/sub\n ? old\n M dir/sub\n M old\n");
  CHECK(world.wafers_ok({"git-status", "b", "--porcelain"}) == " M dir/sub\n M old\n");
  world.wafers_ok({"git-commit", "b", "-m", "from outside"});
  CHECK(world.inside("b", "git status -s; git diff --submodule=log HEAD^ | grep '>'") ==
        "  > two\n  > two\n");
  CHECK(submodules_of_base(world) == before);
  const RunResult refused = world.wafers({"rm", "b"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("dir/sub: a repository of its own"));
  // A copy has its own as well, and another name changes nothing.
  if (kind != "in place") {
    world.wafers_ok({"fork", "b", "c"});
    world.wafers_ok({"rename", "b", "z"});
    world.inside("c", "echo 3 > dir/sub/new; git -C dir/sub commit -qam three");
    CHECK(world.inside("c", "git status -s; git -C dir/sub log -1 --format=%s") ==
          " M dir/sub\nthree\n");
    CHECK(world.inside("z",
                       "git status -s; git -C dir/sub log -1 --format=%s; git -C dir/sub/deep "
                       "rev-parse --show-toplevel") ==
          "two\n" + (world.state() / "z/mnt/dir/sub/deep").native() + "\n");
    world.in_base("echo up > upstream; git add upstream; git commit -qm upstream");
    world.wafers_ok({"git-sync", "z"});
    CHECK(world.inside("z", "git status -s; git -C dir/sub log -1 --format=%s; cat upstream") ==
          "two\nup\n");
  }
  world.wafers_ok({"rm", "--all", "--force", "--no-salvage"});
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));
}

TEST_CASE("submodules are empty over a frozen base until git inside fetches them") {
  const World world;
  add_submodules(world);
  const std::string before = submodules_of_base(world);
  world.add("a", any_backend(), {"--git", "--frozen"});
  CHECK(world.inside("a", "git status -s; ls -A dir/sub old") == "dir/sub:\n\nold:\n");
  world.inside("a",
               "git -c protocol.file.allow=always submodule --quiet update --init dir/sub; "
               "echo 2 > dir/sub/l; git -C dir/sub commit -qam two; git add dir/sub");
  CHECK(world.inside("a", "git status -s") == "M  dir/sub\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "M  dir/sub\n");
  CHECK(submodules_of_base(world) == before);
  // What git has cloned inside is the view's own, under another name and in a copy, too.
  world.wafers_ok({"fork", "a", "b"});
  world.wafers_ok({"rename", "a", "renamed"});
  world.inside("b", "echo 3 > dir/sub/l; git -C dir/sub commit -qam three");
  const std::string shown =
      "git status -s; git -C dir/sub status -s; git -C dir/sub log -1 --format=%s; "
      "git -C dir/sub rev-parse --show-toplevel; git submodule --quiet update dir/sub; "
      "cat dir/sub/l";
  CHECK(world.inside("renamed", shown) ==
        "M  dir/sub\ntwo\n" + (world.state() / "renamed/mnt/dir/sub").native() + "\n2\n");
  CHECK(world.inside("b", shown) ==
        "MM dir/sub\nthree\n" + (world.state() / "b/mnt/dir/sub").native() + "\n2\n");
  world.wafers_ok({"rename", "renamed", "again"});
  CHECK(world.inside("again", "git status -s; git -C dir/sub log -1 --format=%s") ==
        "M  dir/sub\ntwo\n");
}

TEST_CASE("a rename lets every submodule go on that git has cloned inside") {
  const World world;
  add_submodules(world);
  world.add("a", any_backend(), {"--git", "--frozen"});
  world.inside("a",
               "git -c protocol.file.allow=always submodule --quiet update --init --recursive "
               "dir/sub; for m in dir/sub dir/sub/deep; do "
               "echo 2 > $m/new; git -C $m add new; git -C $m commit -qm two; done");
  const std::string made =
      GENERATE(":",
               // Its configuration is long.
               "seq 2000 | sed 's/^/# /' >> \"$(git -C dir/sub rev-parse --git-dir)/config\"",
               // What is checked out has no such submodule.
               "git rm -q --cached dir/sub; git commit -qm without",
               // There is no index to go by.
               "echo damaged > \"$(git rev-parse --git-dir)/index\"");
  CAPTURE(made);
  world.inside("a", made);
  const std::string before = world.inside("a", "cat dir/sub/.git dir/sub/deep/.git");
  world.wafers_ok({"rename", "a", "b"});
  CHECK(world.inside("b", "for m in dir/sub dir/sub/deep; do git -C $m log -1 --format=%s; done") ==
        "two\ntwo\n");
  CHECK(world.inside("b", "cat dir/sub/.git dir/sub/deep/.git") == before);
}

TEST_CASE("a wafer whose registration is gone, or something else, gets another name") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "echo work > work");
  world.in_base(GENERATE("rm -r .git/worktrees", "cd .git/worktrees; mv a b; ln -s b a",
                         "cd .git/worktrees; mv a b; mkfifo a"));
  world.wafers_ok({"rename", "a", "b"});
  CHECK(world.inside("b", "cat work") == "work\n");
}

TEST_CASE("no symlink in the place of a submodule is followed when a wafer is forked") {
  const World world;
  add_submodules(world);
  world.add("a", any_backend(), {"--git"});
  world.inside(
      "a",
      "mv dir/sub elsewhere; cp -r elsewhere ../outside; ln -s \"$(realpath ../outside)\" dir/sub");
  const fs::path outside = world.state() / "a/outside/.git";
  const std::string before = read_file(outside);
  world.wafers({"fork", "a", "b"});
  CHECK(read_file(outside) == before);
}

TEST_CASE("no configuration outside is changed for a submodule that leads there") {
  const World world;
  add_submodules(world);
  world.add("a", any_backend(), {"--git"});
  const fs::path outside = world / "outside/name/config";
  const std::string before = "[core]\n\tworktree = mine\n";
  fs::create_directories(outside.parent_path());
  write_file(outside, before);
  const std::string link = GENERATE("rm -r $M/odd; ln -s \"$O\" $M/odd",
                                    "rm $M/odd/name/config; ln -s \"$O/name/config\" $M/odd/name");
  world.inside("a", "M=$(git rev-parse --git-dir)/modules; O='" + (world / "outside").native() +
                        "'; " + link);
  world.wafers_ok({"rename", "a", "b"});
  CHECK(read_file(outside) == before);
  world.wafers({"fork", "b", "c"});
  CHECK(read_file(outside) == before);
}

TEST_CASE("a registration that is gone is made again") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "echo 2 > README; git commit -qam two; echo new > new");
  world.in_base("rm -rf .git/worktrees");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? new\n");
  CHECK(world.inside("a", "git status -s; git log -1 --format=%s") == "?? new\ntwo\n");
  world.in_base(": > .git/worktrees/a/HEAD");  // as after a crash of the host
  world.wafers_ok({"git-commit", "a", "-m", "three"});
  CHECK(world.inside("a", "git status -s; git log -1 --format=%s") == "three\n");
}

TEST_CASE("a worktree of the same name keeps its directory") {
  const World world;
  world.in_base("git worktree add -q -b mine ../elsewhere/a");
  world.add("a", any_backend(), {"--git"});
  CHECK(world.inside("a", "git symbolic-ref HEAD") == "refs/heads/wafers/a\n");
  world.wafers_ok({"rm", "a"});
  CHECK(world.in_base("git -C ../elsewhere/a symbolic-ref HEAD") == "refs/heads/mine\n");
}

TEST_CASE("no worktree is removed because a record names it") {
  const World world;
  world.in_base("git worktree add -q -b mine ../mine");
  world.add("a", any_backend(), {"--git"});
  const fs::path record = world.state() / "a/metadata";
  nlohmann::json forged = nlohmann::json::parse(read_file(record));
  for (const fs::path& named :
       {world.base() / ".git/worktrees/mine", world / "mine", world.base() / ".git/refs",
        world.base() / ".git/worktrees/../refs"}) {
    forged["git_dir"] = named.native();
    write_file(record, forged.dump());
    world.wafers({"git-status", "a"});
    world.wafers({"rm", "a"});
    CHECK(
        world.in_base("git -C ../mine symbolic-ref HEAD; git rev-parse -q --verify wafers/a >&2") ==
        "refs/heads/mine\n");
  }
  world.wafers({"rm", "-f", "a"});
  CHECK(world.in_base("git -C ../mine symbolic-ref HEAD") == "refs/heads/mine\n");
}

TEST_CASE("what an agent writes into its git directory leads nowhere and runs nothing") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "echo 2 > README; git add README");
  world.in_base("git config extensions.worktreeConfig true");
  const fs::path git_dir = world.base() / ".git/worktrees/a";
  const fs::path ran = world / "ran";
  const std::string program = "touch " + ran.native() + "; ";
  write_file(world / "evil", "#!/bin/sh\n" + program + "\n");
  fs::permissions(world / "evil", fs::perms::all);
  fs::create_directories(world / "forged/hooks");
  fs::copy(world / "evil", world / "forged/hooks/pre-commit");
  fs::copy(world / "evil", world / "forged/hooks/post-index-change");
  write_file(git_dir / "config.worktree",
             "[core]\n\tfsmonitor = " + (world / "evil").native() + "\n\thooksPath = " +
                 (world / "forged/hooks").native() + "\n\teditor = " + (world / "evil").native() +
                 "\n[filter \"x\"]\n\tclean = " + (world / "evil").native() + "\n\trequired\n");
  world.inside("a", "echo '* filter=x' > .gitattributes");
  const auto all_commands = [&] {
    world.inside("a", "echo more >> README");
    world.wafers({"git-status", "a"});
    world.wafers({"git-add", "a", "--", "."});
    world.wafers({"git-restore", "a", "--staged", "--", "README"});
    world.wafers({"git-diff", "a", "--uncommitted"});
    world.wafers({"git-commit", "a", "-m", "x"});
    world.wafers({"ls"});
    world.wafers({"git-sync", "a"});
    world.wafers({"fork", "a", "b"});
    world.wafers({"rm", "-f", "b"});
    CHECK_FALSE(fs::exists(ran));
  };
  all_commands();
  CHECK(world.base().git({"log", "-1", "--format=%s", "wafers/a"}) == "x\n");
  write_file(git_dir / "commondir", (world / "forged").native() + "\n");
  all_commands();
  for (const char* content : {"ref: refs/heads/../../../x\n", "ref: /etc/passwd\n", "", "x\n"}) {
    write_file(git_dir / "HEAD", content);
    all_commands();
  }
  REQUIRE(world.listed("a")["name"] == "a");
  world.in_base("cd .git/worktrees/a; rm HEAD; mkfifo HEAD");
  all_commands();
  world.in_base("cd .git/worktrees/a; rm HEAD; ln -s /etc/passwd HEAD");
  all_commands();
  world.in_base(
      "cd .git/worktrees/a; rm HEAD index; echo ref: refs/heads/wafers/a > HEAD; mkfifo index");
  all_commands();
  world.in_base("cd .git/worktrees/a; rm index; ln -s ../../index index");
  const std::string index = world.in_base("sha1sum .git/index");
  all_commands();
  CHECK(world.in_base("sha1sum .git/index") == index);
  world.in_base("cd .git/worktrees; mv a b; ln -s b a");
  all_commands();
  CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status != 0);
  CHECK(world.in_base("sha1sum .git/index; git status -s") == index);
  REQUIRE(world.listed("a")["name"] == "a");
}

TEST_CASE("a reflog of HEAD that leads elsewhere is left alone") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  fs::create_directory(world / "outside");
  write_file(world / "outside/HEAD", "mine\n");
  const std::string outside = (world / "outside").native();
  int round = 0;
  for (const std::string& made :
       {"ln -s '" + outside + "' logs", "mkdir logs; ln -s '" + outside + "/HEAD' logs/HEAD",
        std::string("mkdir logs; mkfifo logs/HEAD"), std::string("mkdir -p logs/HEAD")}) {
    world.in_base("cd .git/worktrees/a; rm -r logs; " + made);
    world.inside("a", "echo " + std::to_string(++round) + " > README");
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(read_file(world / "outside/HEAD") == "mine\n");
  }
  world.in_base("rm -r .git/worktrees/a/logs; git config core.logAllRefUpdates false");
  world.inside("a", "echo more > README");
  world.wafers_ok({"git-commit", "a", "-m", "x"});
  CHECK_FALSE(fs::exists(world.base() / ".git/worktrees/a/logs"));
}

TEST_CASE("another directory in the place of git's is not written to") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  world.inside("a", "echo 2 > README");
  world.in_base("cd .git/worktrees; mv a elsewhere; ln -s elsewhere a");
  const std::string before =
      world.in_base("cd .git/worktrees/elsewhere; find . -type f -exec sha1sum {} + | sort");
  for (const Words& command : {Words{"git-add", "a", "--", "."}, {"git-commit", "a", "-m", "x"}}) {
    const RunResult result = world.wafers(command);
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("/worktrees/a"));
  }
  world.wafers({"rm", "--force", "--no-salvage", "a"});
  CHECK(world.in_base("cd .git/worktrees/elsewhere; find . -type f -exec sha1sum {} + | sort") ==
        before);
}

}  // namespace
}  // namespace wafers::test
